import { KeyObject, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import {
  EncryptedDownload,
  EncryptedUpload,
  rewrapObject,
  S3EncryptionClient,
  type S3EncryptionOptions,
  verifyObject,
} from "@s3ec/client";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import {
  type DecryptionRequest,
  DefaultMaterialsManager,
  type EncryptionRequest,
  type Keyring,
  S3EncryptionError,
} from "@s3ec/materials";
import { printedBy } from "@s3ec/test-support";
import { expect } from "chai";
import { BUCKET, Fixture } from "./fixture.js";
import { Lines, Tracing } from "./telemetry.js";

const TENANT = "tenant-which-nobody-is-told";
const CONTEXT_NAME = "name-in-the-context-alone";
const DESCRIPTION = "description-that-selects-a-key";
const METADATA = "metadata-of-the-user";
const PLAINTEXT = "plaintext-of-the-object-which-is-secret ".repeat(2000);

/** Everything that a value says, in texts. */
function textsOf(value: unknown, seen: Set<unknown> = new Set()): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || seen.has(value)) return [];
  seen.add(value);
  if (value instanceof KeyObject) return value.type === "secret" ? textsOf(value.export()) : [];
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return [bytes.toString("latin1"), bytes.toString("hex")];
  }
  const entries = value instanceof Map ? [...value] : value instanceof Set ? [...value] : Reflect.ownKeys(value);
  return entries.flatMap((entry) => {
    if (typeof entry !== "string" && typeof entry !== "symbol") return textsOf(entry, seen);
    return [String(entry), ...textsOf(Reflect.get(value, entry), seen)];
  });
}

/** How a secret may be written. */
function formsOf(secret: string | Uint8Array): string[] {
  const bytes = Buffer.from(secret as Uint8Array);
  // Of a long one its beginning would do.
  const start = bytes.subarray(0, 30);
  return (["latin1", "hex", "base64", "base64url"] as const).map((encoding) =>
    start.toString(encoding).replace(/=+$/, ""),
  );
}

function found(secrets: readonly (string | Uint8Array)[], where: unknown): string[] {
  const texts = textsOf(where).join("\n");
  return secrets.flatMap(formsOf).filter((form) => texts.includes(form));
}

/** What the SDK's own lines say of what was sent, but for streams. */
function sentBodies({ all }: Lines): object[] {
  const inputs = all.flatMap(({ entry }) => {
    const input: unknown = typeof entry === "object" && entry !== null ? Reflect.get(entry, "input") : undefined;
    return typeof input === "object" && input !== null ? [input] : [];
  });
  return inputs.filter((input) => {
    const body: unknown = Reflect.get(input, "Body");
    return typeof body === "string" || ArrayBuffer.isView(body);
  });
}

describe("what a client tells of its steps holds no secret", () => {
  let fixture: Fixture;
  let tracing: Tracing;
  let kms: KMSClient;
  let folder: string;
  const lines = new Lines();
  const dataKeys: Buffer[] = [];
  const wrapped: Uint8Array[] = [];
  before(async () => {
    fixture = await Fixture.start();
    tracing = new Tracing();
    kms = new KMSClient({ ...fixture.server.clientConfig, maxAttempts: 1 });
    folder = mkdtempSync(join(tmpdir(), "s3ec-test-"));
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    kms.destroy();
    tracing.end();
    await fixture.close();
  });

  /** Keeps every data key and wrap for this test. */
  class Overheard extends DefaultMaterialsManager {
    override async getEncryptionMaterials(request: EncryptionRequest) {
      const materials = await super.getEncryptionMaterials(request);
      dataKeys.push(materials.dataKey.export());
      wrapped.push(...materials.encryptedDataKeys.map(({ ciphertext }) => ciphertext));
      return materials;
    }
    override async getDecryptionMaterials(request: DecryptionRequest) {
      const materials = await super.getDecryptionMaterials(request);
      dataKeys.push(materials.dataKey.export());
      return materials;
    }
  }

  function client(keyring: Keyring, options: Partial<S3EncryptionOptions> = {}): S3EncryptionClient {
    const encryption = { materialsManager: new Overheard(keyring), tracer: tracing.tracer, ...options };
    const { logger } = lines;
    return fixture.track(
      new S3EncryptionClient({ ...fixture.server.clientConfig, maxAttempts: 1, logger, encryption }),
    );
  }

  /** Whatever comes of it. */
  async function attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      const answer = await work();
      const body: unknown = typeof answer === "object" && answer !== null ? Reflect.get(answer, "Body") : undefined;
      if (body instanceof Readable) for await (const _ of body);
    } catch (error) {
      if (!(error instanceof S3EncryptionError)) throw error;
    }
  }

  it("whatever is done with an object, and however it fails", async () => {
    const wrappingKey = randomBytes(32);
    const raw = new RawAesKeyring({ wrappingKey, materialDescription: { DESCRIPTION } });
    const ofKms = new KmsKeyring({ keyId: fixture.server.kms.createKey().arn, client: kms });
    const another = new KmsKeyring({ keyId: fixture.server.kms.createKey().arn, client: kms });
    const multi = new MultiKeyring({ generator: ofKms, children: [{ keyring: raw, instructionFileSuffix: ".raw" }] });
    const encryptionContext = { tenant: TENANT, [CONTEXT_NAME]: "x" };
    const object = (Key: string) => ({ Bucket: BUCKET, Key });
    const put = (Key: string) =>
      new PutObjectCommand({ ...object(Key), Body: PLAINTEXT, Metadata: { mine: METADATA } });
    const get = (Key: string) => new GetObjectCommand(object(Key));

    await client(raw).send(put("raw"));
    await client(multi).send(put("kms"), { encryptionContext });
    const messages = { formats: [new AwsMessageFormat()] };
    await client(ofKms, messages).send(put("message"), { encryptionContext });
    const { body, metadata } = await fixture.stored("kms");
    body[20] = (body[20] ?? 0) ^ 1;
    await fixture.plain.send(new PutObjectCommand({ ...object("altered"), Body: body, Metadata: metadata }));
    const stray = { "x-amz-key-v2": TENANT, "x-amz-iv": METADATA, "x-amz-matdesc": `{"${CONTEXT_NAME}":"${TENANT}"}` };
    await fixture.plain.send(new PutObjectCommand({ ...object("malformed"), Body: "x", Metadata: stray }));

    const context = { encryptionContext };
    const file = join(folder, "file");
    writeFileSync(file, PLAINTEXT);
    for (const options of [{}, { bufferSize: 10 }, { enableDelayedAuthenticationMode: true }]) {
      await attempt(() => client(raw, options).send(get("raw")));
      await attempt(() => client(multi, options).send(get("kms"), context));
      await attempt(() => client(multi, options).send(get("altered"), context));
      await attempt(() => client(ofKms, { ...messages, ...options }).send(get("message"), context));
    }
    const refusals: (() => Promise<unknown>)[] = [
      () => client(multi).send(get("kms")),
      () => client(multi).send(get("kms"), { encryptionContext: { tenant: TENANT } }),
      () => client(another).send(get("kms"), context),
      () => client(raw).send(get("kms"), { ...context, instructionFileSuffix: ".raw" }),
      () => client(new RawAesKeyring({ wrappingKey: randomBytes(32) })).send(get("raw")),
      () => client(raw).send(get("raw"), { materialDescription: { DESCRIPTION: "not-it" } }),
      () => client(raw).send(get("malformed")),
      () => client(raw).send(put("raw"), context),
    ];
    const before = lines.ours.filter(({ level }) => level === "warn").length;
    for (const refused of refusals) await attempt(refused);
    const warned = lines.ours.filter(({ level }) => level === "warn").slice(before);
    expect(warned.map((line) => line["error.type"])).to.have.length(refusals.length);
    expect(new Set(warned.map((line) => line["error.type"]))).to.include.all.keys(
      "context-mismatch",
      "decryption-failed",
      "malformed-envelope",
      "invalid-argument",
    );
    fixture.server.faults.add({ service: "kms", operation: "Decrypt", status: 400, code: "AccessDeniedException" });
    await attempt(() => client(ofKms).send(get("kms"), context));
    fixture.server.faults.clear();
    const s3 = client(multi);
    await attempt(() => new EncryptedUpload({ client: s3, params: object("up"), file, ...context }).done());
    await attempt(() => new EncryptedDownload({ client: s3, params: object("up"), to: file, ...context }).done());
    await attempt(() => verifyObject(s3, { ...object("kms"), ...context }));
    await attempt(() => rewrapObject(s3, { ...object("kms"), ...context, to: { keyring: another } }));

    const names = new Set(tracing.ended.map(({ name }) => name));
    expect(names).to.include.all.keys(
      "s3ec.wrap",
      "s3ec.open",
      "s3ec.unwrap",
      "s3ec.verify",
      "s3ec.spool",
      "s3ec.decrypt",
    );
    expect(dataKeys.length).to.be.above(15);
    const secret = [...dataKeys, wrappingKey, PLAINTEXT];
    const said = [...wrapped, TENANT, CONTEXT_NAME, DESCRIPTION, METADATA, "DESCRIPTION"];
    const spans = tracing.ended.map(({ name, attributes, events, links, status }) => [
      name,
      attributes,
      events,
      links,
      status,
    ]);
    expect(found([...secret, ...said], spans)).to.deep.equal([]);
    expect(found([...secret, ...said], lines.ours)).to.deep.equal([]);
    // The SDK says of its own what it sends, and not what that was made from.
    expect(sentBodies(lines).length).to.be.above(2);
    expect(found(secret, sentBodies(lines))).to.deep.equal([]);
    // And what is looked for would be found.
    for (const each of [...secret, ...said]) {
      for (const hidden of [
        { a: [{ each }] },
        { [Buffer.from(each as Uint8Array).toString("base64")]: 1 },
        new Map([["a", each]]),
      ]) {
        expect(found([each], hidden)).not.to.deep.equal([]);
      }
    }
  });

  it("and without OpenTelemetry's API, which is never looked for, a client works as it does", async () => {
    const hooks = `export async function resolve(specifier, context, next) {
      if (specifier.startsWith("@opentelemetry/")) throw new Error("not installed");
      return await next(specifier, context);
    }`;
    const url = (name: string): string => JSON.stringify(import.meta.resolve(name));
    const program = `
      import { register } from "node:module";
      register("data:text/javascript," + encodeURIComponent(${JSON.stringify(hooks)}));
      const absent = await import("@opentelemetry/api").then(() => "found", (error) => error.message);
      const { S3EncryptionClient } = await import(${url("@s3ec/client")});
      const { RawAesKeyring } = await import(${url("@s3ec/keyring-raw-aes")});
      const { GetObjectCommand, PutObjectCommand } = await import(${url("@aws-sdk/client-s3")});
      const spans = [];
      const tracer = { startActiveSpan: (name, options, work) => {
        spans.push(name);
        return work({ setAttributes() {}, setStatus() {}, end() {} });
      } };
      const s3 = new S3EncryptionClient({
        ...${JSON.stringify(fixture.server.clientConfig)},
        encryption: { keyring: new RawAesKeyring({ wrappingKey: Buffer.alloc(32, 1) }), tracer },
      });
      const object = { Bucket: ${JSON.stringify(BUCKET)}, Key: "absent" };
      await s3.send(new PutObjectCommand({ ...object, Body: "x" }));
      const { Body } = await s3.send(new GetObjectCommand(object));
      const body = await Body.transformToString();
      s3.destroy();
      console.log(JSON.stringify({ absent, body, spans }));
    `;
    expect(JSON.parse(await printedBy(program, ["--no-warnings"]))).to.deep.equal({
      absent: "not installed",
      body: "x",
      spans: ["s3ec.wrap", "s3ec.open", "s3ec.unwrap", "s3ec.verify"],
    });
  });
});
