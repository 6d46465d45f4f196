// Reads one job a line on stdin and answers one line a job on stdout: messages of the AWS Encryption SDK for JavaScript.
import { constants, createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import {
  buildClient,
  CommitmentPolicy,
  getClient,
  KMS,
  KmsKeyringNode,
  MultiKeyringNode,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
  RawRsaKeyringNode,
} from "@aws-crypto/client-node";

const POLICIES = {
  "forbid-allow": CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT,
  "require-allow": CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT,
  "require-require": CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
};

/** The first bytes of SHA-256(be32(seed) ‖ be32(0)) ‖ SHA-256(be32(seed) ‖ be32(1)) ‖ ... */
function plaintext(seed, length) {
  const blocks = [];
  const counter = Buffer.alloc(8);
  counter.writeUInt32BE(seed, 0);
  for (let block = 0; block * 32 < length; block++) {
    counter.writeUInt32BE(block, 4);
    blocks.push(createHash("sha256").update(counter).digest());
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/** The keyring of src/messages/message-job.ts. */
function keyring(described, kms) {
  switch (described.type) {
    case "multi": {
      const [generator, ...children] = described.members.map((member) => keyring(member, kms));
      return new MultiKeyringNode({ generator, children });
    }
    case "kms":
      return new KmsKeyringNode({ generatorKeyId: described.keyId, clientProvider: getClient(KMS, kms) });
    case "aes": {
      const key = Buffer.from(described.key, "base64");
      return new RawAesKeyringNode({
        keyNamespace: described.namespace,
        keyName: described.name,
        unencryptedMasterKey: Uint8Array.from(key), // it refuses a slice of Node's buffer pool
        wrappingSuite: RawAesWrappingSuiteIdentifier[`AES${key.length * 8}_GCM_IV12_TAG16_NO_PADDING`],
        utf8Sorting: true, // by default it sorts a context by the locale, which no other SDK does
      });
    }
    case "rsa":
      return new RawRsaKeyringNode({
        keyNamespace: described.namespace,
        keyName: described.name,
        rsaKey: { publicKey: described.publicKey, privateKey: described.privateKey },
        ...(described.padding === "pkcs1"
          ? { padding: constants.RSA_PKCS1_PADDING }
          : { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: described.padding.slice("oaep-".length) }),
      });
  }
}

async function run(job) {
  const client = buildClient(POLICIES[job.policy]);
  const keys = keyring(job.keyring, job.kms);
  if (job.op === "encrypt") {
    const body = plaintext(job.body.seed, job.body.length);
    const { result } = await client.encrypt(keys, body, {
      suiteId: job.suite,
      frameLength: job.frameLength,
      encryptionContext: job.encryptionContext,
      plaintextLength: body.length,
    });
    writeFileSync(job.file, result);
    return body;
  }
  const message = readFileSync(job.file);
  const source = job.streamed ? Readable.from(slices(message, job.streamed)) : message;
  const { plaintext: body, messageHeader } = await client.decrypt(keys, source);
  // What the SDK's documentation asks of its callers: it takes no context on reading.
  for (const [name, value] of Object.entries(job.encryptionContext)) {
    if (messageHeader.encryptionContext[name] !== value) throw new Error(`The context has another ${name}.`);
  }
  return body;
}

function* slices(bytes, length) {
  for (let offset = 0; offset < bytes.length; offset += length) yield bytes.subarray(offset, offset + length);
}

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  const answer = await run(job).then(
    (body) => ({ ok: true, length: body.length, sha256: createHash("sha256").update(body).digest("hex") }),
    (failure) => ({ ok: false, error: failure.name, message: failure.message }),
  );
  console.log(JSON.stringify({ id: job.id, ...answer }));
}
