// A key's end of life, in the hierarchy that the README shows: an object that stands gets an escrow key by an annotation, then
// another application key, and the old one opens it no more. Runs alone: `node docs/examples/rotate-keys.mjs`.
import { generateKeyPairSync } from "node:crypto";
import { KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { addRecipient, inspectObject, rewrapObject, S3EncryptionClient } from "@s3ec/client";
import { startDevServer } from "@s3ec/dev-server";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";

const server = await startDevServer({ buckets: ["archive"], aliases: ["alias/app-2024", "alias/app-2026"] });
const kms = new KMSClient(server.clientConfig);
const object = { Bucket: "archive", Key: "2024/report" };
const encryptionContext = { tenant: "a" };

const app2024 = new KmsKeyring({ keyId: "alias/app-2024", client: kms });
const app2026 = new KmsKeyring({ keyId: "alias/app-2026", client: kms });
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 3072 });
const clientOf = (keyring) => new S3EncryptionClient({ ...server.clientConfig, encryption: { keyring } });
const before = clientOf(app2024);

await before.send(new PutObjectCommand({ ...object, Body: "Written in 2024." }), { encryptionContext });
await tell("Stored");

// Escrow: its public key is enough to wrap for it, so that nothing here can try whether it opens.
const escrow = new RawRsaKeyring({ publicKey, materialDescription: { purpose: "escrow" } });
const forEscrow = { recipient: "escrow", to: { keyring: escrow, encryptionContext: {} }, verify: "none" };
report("Escrow added", await addRecipient(before, { ...object, encryptionContext, ...forEscrow }));
await tell("Stored");

// The application's key: inside KMS, since both are ours.
const to = { keyring: app2026 };
report("Moved", await rewrapObject(before, { ...object, encryptionContext, to, owner: "same", enforceRotation: true }));
await tell("Stored");

await read("alias/app-2026", app2026, { encryptionContext });
await read("The safe", new RawRsaKeyring({ privateKey }), {});
await read("alias/app-2024", app2024, { encryptionContext });

before.destroy();
kms.destroy();
await server.close();

async function tell(what) {
  const { inspection, recipients } = await inspectObject(before, object);
  console.log(`${what}: ${inspection.format}, wrapped with ${inspection.wrapAlgorithm}, ${inspection.placement}`);
  for (const { recipient, wrap } of recipients) console.log(`  and for "${recipient}" with ${wrap}, annotation`);
}

function report(what, { place, verified, isReencrypted = false, changed = [] }) {
  const where = place.in === "metadata" ? "its metadata" : `its annotation ${place.name}`;
  console.log(`${what}: in ${where}, ${isReencrypted ? "inside KMS, " : ""}verified: ${verified}`);
  if (changed.length > 0) console.log(`  not as before: ${changed.join(", ")}`);
}

async function read(who, keyring, options) {
  const client = clientOf(keyring);
  try {
    const { Body } = await client.send(new GetObjectCommand(object), options);
    console.log(`${who} reads: ${await Body.transformToString()}`);
  } catch (error) {
    console.log(`${who} is refused: ${error.code}`);
  } finally {
    client.destroy();
  }
}
