import { generateKeyPairSync, generateKeySync } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import { EncryptedDownload, EncryptedUpload, withPlaintextSizes } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { BUCKET, Fixture, get, put, TEST_KEYRING } from "./fixture.js";

type Body = NonNullable<PutObjectCommandInput["Body"]>;

const TEXT = "some text";

/** What each thing that is tried ends in; run by `realm-process.ts`, in a realm of its own. */
export async function run(folder: string): Promise<Readonly<Record<string, string>>> {
  const outcomes: Record<string, string> = { "an error of Node's": String(errorOfNode() instanceof Error) };
  const fixture = await Fixture.start();
  const client = fixture.client();
  const attempt = async (name: string, action: () => Promise<unknown>): Promise<void> => {
    outcomes[name] = await action().then(String, ({ code, name }) => code ?? name);
  };
  const read = async (key: string, from = client): Promise<string | undefined> =>
    (await from.send(get(key))).Body?.transformToString();

  const bytes = new Uint8Array([...TEXT].map((character) => character.charCodeAt(0)));
  const bodies: Record<string, () => unknown> = {
    bytes: () => bytes,
    "an ArrayBuffer": () => bytes.buffer,
    "a Node stream": () => Readable.from([bytes]),
    "a web stream": () => new Blob([TEXT]).stream(),
    "a Blob": () => new Blob([TEXT]),
    "a generator": async function* () {
      yield bytes;
    },
  };
  for (const [name, make] of Object.entries(bodies)) {
    await attempt(`put ${name}`, async () => {
      await client.send(put(name, make() as Body));
      return read(name);
    });
  }
  await attempt("put a file that is not there", () => client.send(put("x", createReadStream(join(folder, "absent")))));
  await attempt("get an object that is not there", () => client.send(get("absent")));
  await attempt("get an object that is not encrypted", async () => {
    await fixture.plain.send(put("plain", TEXT));
    return client.send(get("plain"));
  });
  await attempt("upload a file that is not there", () =>
    new EncryptedUpload({ client, params: { Bucket: BUCKET, Key: "x" }, file: join(folder, "absent") }).done(),
  );
  await attempt("download into a new file", async () => {
    const to = join(folder, "new");
    await new EncryptedDownload({ client, params: { Bucket: BUCKET, Key: "bytes" }, to }).done();
    return readFileSync(to, "utf8");
  });
  await attempt("download into a stream", async () => {
    const to = new PassThrough();
    await new EncryptedDownload({ client, params: { Bucket: BUCKET, Key: "bytes" }, to }).done();
    return to.read();
  });
  await attempt("list an object that is gone", async () => {
    const listing = { Bucket: BUCKET, Contents: [{ Key: "absent" }] };
    for await (const { PlaintextSize } of withPlaintextSizes(client, listing)) return PlaintextSize;
  });
  await attempt("get from a spool", () => read("bytes", fixture.client({ bufferSize: 0 })));

  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const der = privateKey.export({ type: "pkcs8", format: "der" });
  const keyrings = {
    "AES bytes": new RawAesKeyring({ wrappingKey: new Uint8Array(32).fill(1) }),
    "an AES KeyObject": new RawAesKeyring({ wrappingKey: generateKeySync("aes", { length: 256 }) }),
    "RSA bytes": new RawRsaKeyring({ privateKey: new Uint8Array(der) }),
    "an RSA KeyObject": new RawRsaKeyring({ privateKey }),
    "bytes of Node's": TEST_KEYRING,
  };
  for (const [name, keyring] of Object.entries(keyrings)) {
    await attempt(`with ${name}`, async () => {
      await fixture.client({ keyring }).send(put("keyed", TEXT));
      return read("keyed", fixture.client({ keyring }));
    });
  }
  await fixture.close();
  return outcomes;
}

function errorOfNode(): unknown {
  try {
    return readFileSync("/absent");
  } catch (error) {
    return error;
  }
}
