import { createSecretKey } from "node:crypto";
import { plaintextOf, refusal, refused } from "@s3ec/test-support";
import { expect } from "chai";
import { CBC, COMMITTING_GCM, GCM } from "../dist/algorithm-suites.js";
import {
  decryptContent,
  decryptContentRange,
  decryptContentUnverified,
  encryptContent,
} from "../dist/content-cipher.js";
import { type ContentHeader, createContentKey, openContentKey } from "../dist/content-key.js";
import { keyCommitment } from "../dist/key-commitment.js";
import { cut, streamOf } from "./chunks.js";
import { contentKey, ENVELOPES, encrypted, KINDS } from "./content-keys.js";
import { ascending, BODIES, COMMITMENT, DATA_KEY } from "./known-answers.js";

const dataKeyOf = (length: number) => createSecretKey(ascending(1, length));

/** A source that says how far it was read, and whether it was let go of. */
function watched(chunks: readonly Uint8Array[]) {
  const state = { read: 0, released: false };
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (const chunk of chunks) {
        state.read++;
        yield chunk;
      }
    } finally {
      state.released = true;
    }
  }
  return { state, source: source() };
}

describe("createContentKey", () => {
  it("takes a fresh IV for every V2 message, and the data key itself", () => {
    const ivs = Array.from({ length: 50 }, () => {
      const { content, header } = createContentKey(GCM, DATA_KEY);
      if (header.format !== "V2") throw new Error("Expected V2.");
      expect(content).to.include({ key: DATA_KEY, iv: header.iv });
      expect([header.iv.length, content.aad.length]).to.deep.equal([12, 0]);
      return Buffer.from(header.iv).toString("hex");
    });
    expect(new Set(ivs).size).to.equal(50);
  });

  it("takes a fresh message id for every V3 message, twelve 0x01 bytes as IV and the suite's id as AAD", () => {
    const ids = Array.from({ length: 50 }, () => {
      const { content, header } = createContentKey(COMMITTING_GCM, DATA_KEY);
      if (header.format !== "V3") throw new Error("Expected V3.");
      expect(header.commitment).to.deep.equal(keyCommitment(DATA_KEY, header.messageId));
      expect(header.messageId.length).to.equal(28);
      expect([...content.iv]).to.deep.equal(Array(12).fill(1));
      expect([...content.aad]).to.deep.equal([0x00, 0x73]);
      return Buffer.from(header.messageId).toString("hex");
    });
    expect(new Set(ids).size).to.equal(50);
  });

  it("writes neither CBC nor under any but a 256-bit data key (S1, H19)", () => {
    refused("invalid-argument", () => createContentKey(CBC, DATA_KEY));
    for (const suite of [GCM, COMMITTING_GCM]) {
      for (const length of [16, 24, 31, 33]) {
        refused("invalid-argument", () => createContentKey(suite, dataKeyOf(length)));
      }
    }
  });

  it("makes what openContentKey opens", async () => {
    for (const suite of [GCM, COMMITTING_GCM]) {
      const { content, header } = createContentKey(suite, DATA_KEY);
      const stored = await encrypted(content, plaintextOf(1000));
      const opened = openContentKey(asEnvelope(header), DATA_KEY);
      expect(Buffer.concat(await decryptContent(opened, streamOf([stored]))).equals(plaintextOf(1000))).to.equal(true);
    }
  });

  function asEnvelope(header: ContentHeader) {
    return header.format === "V3" ? { ...ENVELOPES.committing, ...header } : { ...ENVELOPES.gcm, ...header };
  }
});

describe("openContentKey", () => {
  it("reads V1 and V2 with data keys of 16, 24 and 32 bytes, V3 with 32 only (H19)", () => {
    for (const length of [16, 24, 32]) {
      for (const kind of ["cbc", "gcm"] as const) {
        expect(openContentKey(ENVELOPES[kind], dataKeyOf(length)).key.symmetricKeySize).to.equal(length);
      }
      const { messageId } = ENVELOPES.committing;
      const commitment = length === 32 ? keyCommitment(dataKeyOf(length), messageId) : COMMITMENT;
      const open = () => openContentKey({ ...ENVELOPES.committing, commitment }, dataKeyOf(length));
      if (length === 32) expect(open().key.symmetricKeySize).to.equal(32);
      else refused("decryption-failed", open);
    }
  });

  it("refuses data keys of any other length (S15)", () => {
    for (const length of [1, 8, 15, 17, 31, 33, 64]) {
      for (const kind of KINDS) refused("decryption-failed", () => openContentKey(ENVELOPES[kind], dataKeyOf(length)));
    }
  });

  it("refuses a data key that the object does not commit to, in the words of any other failure (S5, S16)", async () => {
    const wrongKey = refused("decryption-failed", () => openContentKey(ENVELOPES.committing, dataKeyOf(32)));
    const wrongTag = await refusal(
      "decryption-failed",
      decryptContent(contentKey("gcm"), streamOf([Buffer.alloc(32)])),
    );
    const wrongLength = refused("decryption-failed", () => openContentKey(ENVELOPES.gcm, dataKeyOf(17)));
    expect([wrongTag.message, wrongLength.message]).to.deep.equal([wrongKey.message, wrongKey.message]);
  });
});

describe("whole content", () => {
  for (const { text, ...bodies } of BODIES) {
    for (const kind of KINDS) {
      it(`is read whatever encrypted it: ${kind} of "${text}"`, async () => {
        const body = streamOf(cut(Buffer.from(bodies[kind], "base64"), 7));
        expect(Buffer.concat(await decryptContent(contentKey(kind), body)).toString()).to.equal(text);
      });
    }
  }

  it("is given out by decryptContent after it was authenticated, or not at all (S12)", async () => {
    const stored = await encrypted(contentKey("gcm"), plaintextOf(100));
    stored.writeUInt8(stored.readUInt8(115) ^ 1, 115);
    const { source, state } = watched(cut(stored, 10));
    await refusal("decryption-failed", decryptContent(contentKey("gcm"), source));
    expect(state).to.deep.equal({ read: 12, released: true });
  });
});

describe("a consumer that stops early", () => {
  const chunks = cut(Buffer.alloc(320), 32);
  const range = {
    fetchFirst: 0,
    fetchLast: 319,
    blockOffset: 0,
    skip: 0,
    take: 320,
    reachesEnd: false,
    total: undefined,
  };
  const readers: [what: string, read: (source: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array>][] = [
    ["encryptContent", (source) => encryptContent(contentKey("gcm"), source)],
    ...KINDS.flatMap((kind): typeof readers => [
      [`decryptContentUnverified of ${kind}`, (source) => decryptContentUnverified(contentKey(kind), source)],
      [`decryptContentRange of ${kind}`, (source) => decryptContentRange(contentKey(kind), range, source)],
    ]),
  ];
  for (const [what, read] of readers) {
    it(`has the source of ${what} let go of`, async () => {
      const { source, state } = watched(chunks);
      for await (const chunk of read(source)) {
        expect(chunk.length).to.be.greaterThan(0);
        break;
      }
      expect(state.released).to.equal(true);
      expect(state.read).to.be.lessThan(4);
    });

    it(`gets the source's own error from ${what}`, async () => {
      const broken = new Error("socket hang up");
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield Buffer.alloc(64);
        throw broken;
      }
      let caught: unknown;
      try {
        for await (const _ of read(failing()));
      } catch (error) {
        caught = error;
      }
      expect(caught).to.equal(broken);
    });
  }

  it("has a body that is too long let go of at once", async () => {
    const { suite, ...rest } = contentKey("gcm");
    const content = { ...rest, suite: { ...suite, maxContentLength: 64 } };
    for (const read of [encryptContent, decryptContentUnverified]) {
      const { source, state } = watched(chunks);
      const failing = (async () => {
        for await (const _ of read(content, source));
      })();
      await refusal(read === encryptContent ? "content-too-large" : "decryption-failed", failing);
      expect(state.released).to.equal(true);
      expect(state.read).to.equal(3);
    }
  });
});
