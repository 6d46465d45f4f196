import { createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import type { AlgorithmSuite } from "./algorithm-suites.js";
import { S3EncryptionError } from "./errors.js";

/** Bytes of the secret that a user keeps for the states of uploads. */
const STATE_SECRET_LENGTH = 32;

const STATE_KEY_LENGTH = 32;

/**
 * The key that authenticates what is kept of an unfinished object outside of the process (G7). It takes the data key, so that
 * the state belongs to this object, and a secret of this user's: whoever can wrap a data key for us knows that one, and could
 * else write a state that makes us encrypt our file under it.
 *
 * @param salt the message id (V3) or IV (V2)
 * @throws S3EncryptionError `invalid-argument` for a secret of another length
 */
export function uploadStateKey(
  suite: AlgorithmSuite,
  dataKey: KeyObject,
  salt: Uint8Array,
  secret: Uint8Array,
): KeyObject {
  if (secret.length !== STATE_SECRET_LENGTH) {
    throw new S3EncryptionError("invalid-argument", `A resume secret must be ${STATE_SECRET_LENGTH} bytes.`);
  }
  const id = Buffer.alloc(2);
  id.writeUInt16BE(suite.id);
  const info = Buffer.concat([id, Buffer.from("s3ec upload state v1 mac", "ascii")]);
  const exported = dataKey.export();
  const both = Buffer.concat([exported, secret]);
  const key = new Uint8Array(hkdfSync("sha512", both, salt, info, STATE_KEY_LENGTH));
  try {
    return createSecretKey(key);
  } finally {
    for (const bytes of [exported, both, key]) bytes.fill(0);
  }
}
