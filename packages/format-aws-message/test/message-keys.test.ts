import { createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import { decryptionFailed } from "@s3ec/materials";
import { refusal, replacingCrypto } from "@s3ec/test-support";
import { expect } from "chai";
import { type ParsedHeader, parseHeader } from "../dist/header.js";
import { gcmName, messageCommitment, messageKey, openMessageKey } from "../dist/message-keys.js";
import { MESSAGE_SUITES } from "../dist/message-suites.js";
import { headerBytes } from "./header-bytes.js";

const LIMITS = { maxEncryptedDataKeys: 1, maxHeaderLength: 1000, maxFrameLength: 5000 };
const MESSAGE_ID = Buffer.alloc(32, 1);

function headerOf(fields: Parameters<typeof headerBytes>[0]): ParsedHeader {
  const header = parseHeader(headerBytes(fields), LIMITS);
  if (header === null || header === "incomplete") throw new Error(`Expected a header, not ${header}.`);
  return header;
}

/** What HKDF gave out while `act` ran. */
async function recordDerived(act: () => void): Promise<Uint8Array[]> {
  const derived: Uint8Array[] = [];
  const original = hkdfSync;
  const recording = (...given: Parameters<typeof hkdfSync>): ArrayBuffer => {
    const bytes = original(...given);
    derived.push(new Uint8Array(bytes));
    return bytes;
  };
  await replacingCrypto({ hkdfSync: recording }, act);
  return derived;
}

describe("keys of a message", () => {
  for (const suite of MESSAGE_SUITES) {
    const dataKey = createSecretKey(Buffer.alloc(suite.keyLength, 9));
    const messageId = MESSAGE_ID.subarray(0, suite.messageIdLength);

    it(`are as long as ${suite.name} says, and nowhere but in their KeyObject`, async () => {
      const keys: KeyObject[] = [];
      const derived = await recordDerived(() => keys.push(messageKey(suite, dataKey, messageId)));
      expect(keys[0]?.symmetricKeySize).to.equal(suite.keyLength);
      expect(gcmName(suite)).to.equal(`aes-${suite.keyLength * 8}-gcm`);
      expect(derived).to.have.length(suite.derivation.kind === "identity" ? 0 : 1);
      for (const bytes of derived) expect(bytes.every((byte) => byte === 0)).to.equal(true);
    });

    it(`are refused uniformly for a data key of another length than ${suite.name} has`, async () => {
      const uniform = decryptionFailed().message;
      for (const length of [16, 24, 32].filter((other) => other !== suite.keyLength)) {
        const other = createSecretKey(Buffer.alloc(length, 9));
        const commitment = suite.committing ? Buffer.from(messageCommitment(other, MESSAGE_ID)) : Buffer.alloc(0);
        const header = headerOf({ version: suite.headerVersion, suiteId: suite.id, commitment });
        const { message } = await refusal("decryption-failed", () => openMessageKey(header, other));
        expect(message).to.equal(uniform);
      }
    });
  }

  it("are refused for a commitment of another length", async () => {
    const dataKey = createSecretKey(Buffer.alloc(32, 9));
    const header = headerOf({ commitment: Buffer.from(messageCommitment(dataKey, MESSAGE_ID)) });
    for (const commitment of [undefined, new Uint8Array(0), header.commitment?.subarray(1)]) {
      await refusal("decryption-failed", () => openMessageKey({ ...header, commitment }, dataKey));
    }
  });
});
