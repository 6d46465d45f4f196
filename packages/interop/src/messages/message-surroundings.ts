import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createKmsKey } from "../servers/kms-key.js";
import type { ServiceEndpoint } from "../servers/servers.js";
import type { MessageKeyring, RsaPadding } from "./message-job.js";
import type { MessageSurroundings } from "./message-matrix.js";
import { type MessageKeyringName, MULTI_MEMBERS } from "./written-message.js";

/** Makes two sets of keys that share their names. */
export async function prepareMessages(kms: ServiceEndpoint, folder: string): Promise<MessageSurroundings> {
  return { kms, folder, keyrings: await keyrings(kms), others: await keyrings(kms) };
}

async function keyrings(kms: ServiceEndpoint): Promise<Record<MessageKeyringName, MessageKeyring>> {
  const pair = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const rsa = (padding: RsaPadding): MessageKeyring => ({
    type: "rsa",
    namespace: "interop.rsa",
    name: "the key",
    padding,
    ...pair,
  });
  const single = {
    "aes-128": aes(16),
    "aes-192": aes(24),
    "aes-256": aes(32),
    "rsa-oaep-sha1": rsa("oaep-sha1"),
    "rsa-oaep-sha256": rsa("oaep-sha256"),
    "rsa-oaep-sha384": rsa("oaep-sha384"),
    "rsa-oaep-sha512": rsa("oaep-sha512"),
    "rsa-pkcs1": rsa("pkcs1"),
    kms: { type: "kms", keyId: await createKmsKey(kms) },
  } as const;
  return { ...single, multi: { type: "multi", members: MULTI_MEMBERS.map((name) => single[name]) } };
}

/** The name is not ASCII, since it is part of what the wrap authenticates. */
function aes(length: number): MessageKeyring {
  return {
    type: "aes",
    namespace: "interop.aes",
    name: `clé ${length * 8}`,
    key: randomBytes(length).toString("base64"),
  };
}
