import { generateKeyPairSync, randomBytes } from "node:crypto";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { createFromConfig } from "@s3ec/container";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";

const FILES = fileURLToPath(new URL("../../../docs/examples/hierarchies", import.meta.url));
const TENANT = { encryptionContext: { tenant: "a" } };

interface Hierarchy {
  readonly writer: string;
  readonly writeContext?: typeof TENANT;
  /** Files that must open what the writer wrote, with the context that each passes. */
  readonly readers: Readonly<Record<string, typeof TENANT | undefined>>;
  /** Files that must not, with the code of the refusal. */
  readonly strangers: Readonly<Record<string, string>>;
}

const HIERARCHIES: readonly Hierarchy[] = [
  {
    writer: "app-with-escrow.json",
    writeContext: TENANT,
    readers: {
      "app-with-escrow.json": TENANT,
      "app-with-escrow.reader-app.json": TENANT,
      "app-with-escrow.reader-escrow.json": undefined,
    },
    strangers: {
      // Without the context, with another wrapping key, and from where no wrap of theirs is.
      "app-with-escrow.reader-app.json": "context-mismatch",
      "partner.reader-we.json": "no-matching-key",
      "partner.reader-partner.json": "no-matching-key",
      "collector.reader-analyst.json": "no-matching-key",
    },
  },
  {
    writer: "two-regions.json",
    readers: { "two-regions.json": undefined, "two-regions.reader-in-europe.json": undefined },
    strangers: {
      "app-with-escrow.reader-app.json": "no-matching-key",
      "collector.reader-analyst.json": "no-matching-key",
    },
  },
  {
    writer: "partner.json",
    readers: {
      "partner.json": undefined,
      "partner.reader-we.json": undefined,
      "partner.reader-partner.json": undefined,
    },
    strangers: {
      "rotated.before.json": "decryption-failed",
      "app-with-escrow.reader-app.json": "no-matching-key",
      "app-with-escrow.reader-escrow.json": "not-encrypted",
    },
  },
  {
    writer: "collector.json",
    readers: { "collector.reader-analyst.json": undefined },
    strangers: { "collector.json": "no-matching-key", "partner.reader-we.json": "no-matching-key" },
  },
  {
    writer: "rotated.json",
    readers: { "rotated.json": undefined },
    strangers: { "rotated.before.json": "decryption-failed" },
  },
  {
    writer: "rotated.before.json",
    readers: { "rotated.json": undefined, "rotated.before.json": undefined },
    strangers: { "partner.reader-we.json": "decryption-failed" },
  },
];

describe("the hierarchies of the docs", () => {
  let server: DevServer;
  let folder: string;
  const env = {
    OUR_KEY: randomBytes(32).toString("base64"),
    KEY_2024: randomBytes(32).toString("base64"),
    KEY_2026: randomBytes(32).toString("base64"),
  };

  before(async () => {
    server = await startDevServer({ buckets: ["bucket"], fsync: false });
    server.kms.createKey({ alias: "alias/app" });
    for (const [region, digit] of [
      ["us-west-2", "1"],
      ["eu-west-1", "2"],
    ] as const) {
      const id = [8, 4, 4, 4, 12].map((length) => digit.repeat(length)).join("-");
      server.kms.createKey({ arn: `arn:aws:kms:${region}:111122223333:key/${id}` });
    }
    folder = mkdtempSync(join(tmpdir(), "s3ec-hierarchies-"));
    cpSync(FILES, folder, { recursive: true });
    for (const name of ["escrow", "partner", "analyst"]) {
      const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      writeFileSync(join(folder, `${name}.pub.pem`), publicKey.export({ type: "spki", format: "pem" }));
      writeFileSync(join(folder, `${name}.pem`), privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    }
  });

  after(async () => {
    rmSync(folder, { recursive: true });
    await server.close();
  });

  async function assembled<T>(file: string, use: (client: Assembly["client"]) => Promise<T>): Promise<T> {
    const { endpoint, credentials, region, clientConfig } = server;
    const kms = { endpoint, credentials, maxAttempts: 1 };
    const assembly = await createFromConfig(join(folder, file), { env, s3: { ...clientConfig, region }, kms });
    try {
      return await use(assembly.client);
    } finally {
      await assembly.dispose();
    }
  }

  const read = (file: string, Key: string, context: typeof TENANT | undefined): Promise<string | undefined> =>
    assembled(file, async (client) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: "bucket", Key }), context);
      return Body?.transformToString();
    });

  for (const { writer, writeContext, readers, strangers } of HIERARCHIES) {
    describe(writer, () => {
      before(() =>
        assembled(writer, (client) =>
          client.send(new PutObjectCommand({ Bucket: "bucket", Key: writer, Body: "content" }), writeContext),
        ),
      );
      for (const [reader, context] of Object.entries(readers)) {
        it(`is read by ${reader}`, async () => {
          expect(await read(reader, writer, context)).to.equal("content");
        });
      }
      for (const [stranger, code] of Object.entries(strangers)) {
        it(`is refused to ${stranger}: ${code}`, async () => {
          const outcome: unknown = await read(stranger, writer, undefined).catch((error: unknown) => error);
          expect(outcome).to.have.property("code", code);
        });
      }
    });
  }
});

type Assembly = Awaited<ReturnType<typeof createFromConfig>>;
