import { createHmac, type Hmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { refused, replacingCrypto } from "@s3ec/test-support";
import { expect } from "chai";
import fc from "fast-check";
import {
  deriveCommittedContentKey,
  deriveContentKey,
  deriveMessageKeys,
  keyCommitment,
} from "../dist/key-commitment.js";
import { ascending, COMMITMENT, DATA_KEY, DERIVATIONS, key, MESSAGE_ID } from "./known-answers.js";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** What the primitives were asked for while `act` ran: `compare`, or `COMMITKEY` or `DERIVEKEY`. */
async function recorded(act: () => void): Promise<string[]> {
  const calls: string[] = [];
  const originals = { createHmac, timingSafeEqual };
  const recording = {
    createHmac: (...options: Parameters<typeof createHmac>): Hmac => {
      const hmac = originals.createHmac(...options);
      const update = hmac.update.bind(hmac);
      return Object.assign(hmac, {
        update: (bytes: Uint8Array) => {
          const [label] = /[A-Z]{9}/.exec(Buffer.from(bytes).toString("latin1")) ?? [];
          if (label !== undefined) calls.push(label);
          return update(bytes);
        },
      });
    },
    timingSafeEqual: (...options: Parameters<typeof timingSafeEqual>) => {
      calls.push("compare");
      return originals.timingSafeEqual(...options);
    },
  };
  await replacingCrypto(recording, act);
  return calls;
}

describe("key commitment", () => {
  for (const [index, { dataKey, messageId, contentKey, commitment }] of DERIVATIONS.entries()) {
    it(`gives the official known answer ${index + 1}`, () => {
      const salt = Buffer.from(messageId, "hex");
      expect(hex(keyCommitment(key(dataKey), salt))).to.equal(commitment);
      expect(hex(deriveContentKey(key(dataKey), salt).export())).to.equal(contentKey);
      const opened = deriveCommittedContentKey(key(dataKey), salt, Buffer.from(commitment, "hex"));
      expect(hex(opened.export())).to.equal(contentKey);
    });
  }

  it("and the content key are what HKDF gives, whatever the data key and the message id (1.3)", () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const id = fc.uint8Array({ minLength: 28, maxLength: 28 });
    fc.assert(
      fc.property(bytes, id, (dataKey, messageId) => {
        const expanded = (label: string, length: number): string =>
          hex(new Uint8Array(hkdfSync("sha512", dataKey, messageId, `\0s${label}`, length)));
        const { contentKey, commitment } = deriveMessageKeys(key(hex(dataKey)), messageId);
        expect(hex(commitment)).to.equal(expanded("COMMITKEY", 28));
        expect(hex(contentKey.export())).to.equal(expanded("DERIVEKEY", 32));
      }),
    );
  });

  it("leaves nothing behind that they were derived from", async () => {
    const secrets: Buffer[] = [];
    const original = createHmac;
    const recording = {
      createHmac: (...options: Parameters<typeof createHmac>): Hmac => {
        const hmac = original(...options);
        const [update, digest] = [hmac.update.bind(hmac), hmac.digest.bind(hmac)];
        return Object.assign(hmac, {
          update: (bytes: Buffer) => {
            // The exported data key; the other inputs are public.
            if (bytes.length === 32) secrets.push(bytes);
            return update(bytes);
          },
          digest: () => {
            const result = digest();
            secrets.push(result);
            return result;
          },
        });
      },
    };
    await replacingCrypto(recording, () => void deriveContentKey(DATA_KEY, MESSAGE_ID));
    expect(secrets.map(({ length }) => length)).to.deep.equal([32, 64, 64]);
    for (const secret of secrets) expect(secret.every((byte) => byte === 0)).to.equal(true);
  });

  it("is compared in constant time before the content key is derived (S5)", async () => {
    const calls = await recorded(() => deriveCommittedContentKey(DATA_KEY, MESSAGE_ID, COMMITMENT));
    expect(calls).to.deep.equal(["COMMITKEY", "compare", "DERIVEKEY"]);
  });

  it("refuses every single flipped bit, and derives no content key then (S5)", async () => {
    for (let bit = 0; bit < COMMITMENT.length * 8; bit++) {
      for (const field of ["commitment", "messageId"] as const) {
        const stored = { commitment: Buffer.from(COMMITMENT), messageId: Buffer.from(MESSAGE_ID) };
        stored[field].writeUInt8(stored[field].readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        const calls = await recorded(() => {
          const open = () => deriveCommittedContentKey(DATA_KEY, stored.messageId, stored.commitment);
          refused("decryption-failed", open);
        });
        expect(calls).to.deep.equal(["COMMITKEY", "compare"]);
      }
    }
  });

  for (const length of [0, 20, 27, 29, 40]) {
    it(`refuses ${length} bytes of commitment or message id with a typed error (S15)`, () => {
      const bytes = Buffer.alloc(length, 1);
      refused("decryption-failed", () => deriveCommittedContentKey(DATA_KEY, MESSAGE_ID, bytes));
      refused("malformed-envelope", () => deriveCommittedContentKey(DATA_KEY, bytes, COMMITMENT));
      refused("malformed-envelope", () => deriveContentKey(DATA_KEY, bytes));
      refused("malformed-envelope", () => keyCommitment(DATA_KEY, bytes));
    });
  }

  for (const length of [16, 24, 31, 33]) {
    it(`refuses a data key of ${length} bytes (H19)`, () => {
      const short = key(hex(ascending(0, length)));
      refused("decryption-failed", () => deriveCommittedContentKey(short, MESSAGE_ID, COMMITMENT));
      refused("decryption-failed", () => deriveContentKey(short, MESSAGE_ID));
      refused("decryption-failed", () => keyCommitment(short, MESSAGE_ID));
    });
  }
});
