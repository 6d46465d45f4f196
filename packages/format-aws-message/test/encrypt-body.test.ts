import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { withFrameHead } from "../dist/encrypt-body.js";
import { MAX_FRAMES } from "../dist/frame-layout.js";

describe("frames", () => {
  it("begin with number and IV, the last one with its mark and length around them", () => {
    const head = (sequenceNumber: number, isFinal: boolean) =>
      withFrameHead(new Uint8Array(0), { sequenceNumber, isFinal }, 10).toString("hex");
    expect(head(0x01020304, false)).to.equal("01020304" + "0000000000000000" + "01020304");
    expect(head(2, true)).to.equal("ffffffff" + "00000002" + "0000000000000000" + "00000002" + "0000000a");
  });

  it("have numbers up to the mark of the last one, which only the last one may have", async () => {
    const head = (sequenceNumber: number, isFinal: boolean) =>
      withFrameHead(new Uint8Array(0), { sequenceNumber, isFinal }, 10);
    expect(head(MAX_FRAMES, true).toString("hex", 0, 8)).to.equal("ffffffffffffffff");
    expect(head(MAX_FRAMES - 1, false).readUInt32BE()).to.equal(0xfffffffe);
    await refusal("content-too-large", () => head(MAX_FRAMES, false));
    await refusal("content-too-large", () => head(MAX_FRAMES + 1, true));
  });
});
