import { createSecretKey } from "node:crypto";
import { expect } from "chai";
import { FrameEncryption, type FrameKey } from "../dist/frame-cipher.js";
import { MAX_FRAMES } from "../dist/frame-layout.js";
import { COMMITTED } from "../dist/message-suites.js";
import { refusal } from "./fixture.js";

const KEY: FrameKey = {
  suite: COMMITTED,
  key: createSecretKey(Buffer.alloc(32, 1)),
  messageId: Buffer.alloc(32, 2),
  frameLength: 10,
};

describe("frames", () => {
  it("begin with number and IV, the last one with its mark and length around them", () => {
    const head = (sequenceNumber: number, isFinal: boolean) =>
      new FrameEncryption(KEY, { sequenceNumber, isFinal }, 10).head.toString("hex");
    expect(head(0x01020304, false)).to.equal("01020304" + "0000000000000000" + "01020304");
    expect(head(2, true)).to.equal("ffffffff" + "00000002" + "0000000000000000" + "00000002" + "0000000a");
  });

  it("have numbers up to the mark of the last one, which only the last one may have", async () => {
    const frame = (sequenceNumber: number, isFinal: boolean) =>
      new FrameEncryption(KEY, { sequenceNumber, isFinal }, 10);
    expect(frame(MAX_FRAMES, true).head.toString("hex", 0, 8)).to.equal("ffffffffffffffff");
    expect(frame(MAX_FRAMES - 1, false).head.readUInt32BE()).to.equal(0xfffffffe);
    await refusal("content-too-large", () => frame(MAX_FRAMES, false));
    await refusal("content-too-large", () => frame(MAX_FRAMES + 1, true));
  });
});
