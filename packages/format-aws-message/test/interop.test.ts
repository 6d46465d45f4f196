import {
  buildClient,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
  CommitmentPolicy as TheirPolicy,
} from "@aws-crypto/client-node";
import { COMMITTED_SIGNED, MESSAGE_SUITES } from "@s3ec/format-aws-message";
import type { CommitmentPolicy } from "@s3ec/materials";
import { collect, plaintextOf, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { CONTEXT, chunksOf, KEY_NAME, NAMESPACE, opening, read, sealing, WRAPPING_KEY } from "./fixture.js";

const FRAME = 100;
const SIZES = [0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME, 1234];

const keyring = new RawAesKeyringNode({
  keyName: KEY_NAME,
  keyNamespace: NAMESPACE,
  // They want memory of its own, and isolate it.
  unencryptedMasterKey: Uint8Array.from(WRAPPING_KEY),
  wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
});
const committing = buildClient(TheirPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const uncommitted = buildClient(TheirPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT);

describe("messages of @aws-crypto/client-node", () => {
  for (const suite of MESSAGE_SUITES) {
    it(`are read: ${suite.name}`, async () => {
      const policy: CommitmentPolicy = suite.committing
        ? "REQUIRE_ENCRYPT_REQUIRE_DECRYPT"
        : "REQUIRE_ENCRYPT_ALLOW_DECRYPT";
      for (const size of SIZES) {
        const plaintext = plaintextOf(size);
        const { result } = await (suite.committing ? committing : uncommitted).encrypt(keyring, plaintext, {
          suiteId: suite.id,
          frameLength: FRAME,
          encryptionContext: { ...CONTEXT },
        });
        const { opened, headerLength } = await opening({ policy }, result);
        const back = await collect(opened.decrypt(chunksOf(result.subarray(headerLength), 33)));
        expect(back.equals(plaintext), `${size} bytes`).to.equal(true);
        if (suite.signature !== undefined) continue;
        expect(opened.plaintextLength(result.length)).to.equal(size);
        const range = opened.range({ suffixLength: 150 }, result.length);
        if (range === undefined) continue;
        const fetched = result.subarray(range.fetchFirst, range.fetchLast + 1);
        const end = await collect(range.decrypt(chunksOf(fetched, 33)));
        expect(end.equals(plaintext.subarray(-150)), `the end of ${size} bytes`).to.equal(true);
      }
    });
  }

  it("are not given out to their end before the signature was verified, where the last frame is empty either", async () => {
    const plaintext = plaintextOf(3 * FRAME);
    const { result } = await committing.encrypt(keyring, plaintext, {
      suiteId: COMMITTED_SIGNED.id,
      frameLength: FRAME,
      encryptionContext: { ...CONTEXT },
    });
    result.writeUInt8(result.readUInt8(result.length - 1) ^ 1, result.length - 1);
    const released: Uint8Array[] = [];
    await refusal("decryption-failed", () => read({}, result, released, 33));
    expect(Buffer.concat(released).equals(plaintext.subarray(0, 2 * FRAME))).to.equal(true);
  });

  for (const signed of [false, true]) {
    it(`are what is written ${signed ? "with" : "without"} a signature`, async () => {
      for (const size of SIZES) {
        const plaintext = plaintextOf(size);
        const { ciphertext } = await sealing({ frameLength: FRAME, signed }, chunksOf(plaintext, 33));
        const { plaintext: back, messageHeader } = await committing.decrypt(keyring, await collect(ciphertext));
        expect(back.equals(plaintext), `${size} bytes`).to.equal(true);
        expect(messageHeader.suiteId).to.equal(signed ? 0x0578 : 0x0478);
        const { "aws-crypto-public-key": publicKey, ...context } = messageHeader.encryptionContext;
        expect(context).to.deep.equal({ ...CONTEXT });
        expect(publicKey !== undefined).to.equal(signed);
      }
    });
  }
});
