import { expect } from "chai";
import { classifyEnvelope } from "../dist/read-envelope.js";
import { wrapBeside } from "../dist/replace-wrap.js";
import { AES_GCM } from "../dist/wrap-algorithms.js";
import { type Metadata, V1, V2, V3 } from "./stored-objects.js";

const KEY = { wrapAlgorithm: AES_GCM, ciphertext: Buffer.alloc(60, 7), description: {} };
const SUFFIX = ".instruction";

function beside(metadata: Metadata, previous?: Metadata): Metadata {
  const found = classifyEnvelope(metadata);
  if (found.placement !== "metadata") throw new Error("no envelope");
  const file = previous && { suffix: SUFFIX, text: JSON.stringify(previous) };
  return JSON.parse(wrapBeside(found.envelope, KEY, file)) as Metadata;
}

describe("the text of another wrapped key beside an object", () => {
  const key = KEY.ciphertext.toString("base64");

  it("holds of V3 the key alone (S5)", () => {
    expect(beside(V3)).to.deep.equal({ "x-amz-3": key, "x-amz-w": "02" });
  });

  it("says of V2 what it is for (S19), and keeps nothing of the file before", () => {
    const { "x-amz-iv": iv, "x-amz-cek-alg": algorithm } = V2;
    const of = { "x-amz-iv": iv, "x-amz-cek-alg": algorithm, "x-amz-tag-len": "128", "x-amz-matdesc": "{}" };
    const expected = { ...of, "x-amz-key-v2": key, "x-amz-wrap-alg": "AES/GCM" };
    expect(beside(V2)).to.deep.equal(expected);
    expect(beside(V2, { ...V2, "x-amz-unencrypted-content-length": "5" })).to.deep.equal(expected);
  });

  it("says of CBC content how long it is or how long its tag, as the file before did, or that it has none (H6)", () => {
    const names = ["x-amz-tag-len", "x-amz-unencrypted-content-length"];
    for (const [previous, kept] of [
      [undefined, ["0", undefined]],
      [V1, ["0", undefined]],
      [{ ...V1, "x-amz-tag-len": "1" }, ["1", undefined]],
      [{ ...V1, "x-amz-unencrypted-content-length": "5" }, [undefined, "5"]],
      [{ ...V1, "x-amz-tag-len": "1", "x-amz-unencrypted-content-length": "5" }, ["1", "5"]],
    ] as const) {
      const written = beside(V1, previous);
      expect(names.map((name) => written[name])).to.deep.equal(kept);
      expect(Object.keys(written)).to.include.members(["x-amz-key-v2", "x-amz-iv", "x-amz-cek-alg"]);
    }
  });
});
