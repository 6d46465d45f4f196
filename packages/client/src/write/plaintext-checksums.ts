import { createHash, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";
import { S3EncryptionError } from "@s3ec/materials";
import type { BodySource, ObjectToPut } from "./body.js";

interface Digest {
  update(chunk: Uint8Array): void;
  digest(): Uint8Array;
}

function hash(algorithm: "md5" | "sha1" | "sha256"): Digest {
  const state = createHash(algorithm);
  return { update: (chunk) => void state.update(chunk), digest: () => state.digest() };
}

function crc(): Digest {
  let value = 0;
  return {
    update: (chunk) => {
      value = crc32(chunk, value);
    },
    digest: () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    },
  };
}

const VERIFIABLE = {
  ContentMD5: () => hash("md5"),
  ChecksumSHA1: () => hash("sha1"),
  ChecksumSHA256: () => hash("sha256"),
  ChecksumCRC32: crc,
} as const;

type Verifiable = keyof typeof VERIFIABLE;

function isVerifiable(name: string): name is Verifiable {
  return Object.hasOwn(VERIFIABLE, name);
}

/**
 * A caller's checksums describe the plaintext: they are verified here while it is encrypted, and never sent, since S3
 * holds ciphertext and a digest of the plaintext would leak equality (S3).
 */
export function withoutPlaintextChecksums(
  input: ObjectToPut,
  source: BodySource,
): { input: ObjectToPut; source: BodySource } {
  const rest: ObjectToPut = { ...input };
  const expected: { name: Verifiable; value: string }[] = [];
  for (const [name, value] of Object.entries(input)) {
    if (value === undefined || !isChecksum(name)) continue;
    if (isVerifiable(name) && typeof value === "string") {
      expected.push({ name, value });
      Reflect.deleteProperty(rest, name);
    } else {
      throw new S3EncryptionError(
        "unsupported-operation",
        `${name} of the plaintext cannot be verified here; pass ContentMD5, ChecksumSHA256, ChecksumSHA1 or ChecksumCRC32, or leave it out.`,
      );
    }
  }
  if (expected.length === 0) return { input, source };
  return { input: rest, source: { ...source, chunks: verified(source.chunks, expected) } };
}

/** Whether a caller says what the plaintext has to sum up to, which takes reading it in order. */
export function hasPlaintextChecksums(input: object): boolean {
  return Object.entries(input).some(([name, value]) => value !== undefined && isChecksum(name));
}

function isChecksum(name: string): boolean {
  return /^(ContentMD5|Checksum(?!Algorithm$).*)$/.test(name);
}

async function* verified(
  chunks: AsyncIterable<Uint8Array>,
  expected: readonly { name: Verifiable; value: string }[],
): AsyncGenerator<Uint8Array> {
  const digests = expected.map(({ name, value }) => ({ name, value, digest: VERIFIABLE[name]() }));
  for await (const chunk of chunks) {
    for (const { digest } of digests) digest.update(chunk);
    yield chunk;
  }
  for (const { name, value, digest } of digests) {
    const actual = digest.digest();
    const stated = Buffer.from(value, "base64");
    if (stated.length !== actual.length || !timingSafeEqual(stated, actual)) {
      throw new S3EncryptionError("content-mismatch", `The body does not have the ${name} that it was said to have.`);
    }
  }
}
