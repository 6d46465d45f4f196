import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { fetchInstructionFile } from "../dist/instruction-files.js";

describe("the instruction file of an object", () => {
  const places: [suffix: string | undefined, tryDotNetV1: boolean, asked: readonly string[]][] = [
    [undefined, false, [".instruction"]],
    [undefined, true, [".instruction", "INSTRUCTION_SUFFIX"]],
    [".escrow", false, [".escrow"]],
    [".escrow", true, [".escrow"]],
    ["escrow", true, [".escrow", "escrow"]],
    ["INSTRUCTION_SUFFIX", false, ["INSTRUCTION_SUFFIX"]],
  ];
  for (const [suffix, tryDotNetV1, asked] of places) {
    const what = `${suffix ?? "no suffix"}${tryDotNetV1 ? ", perhaps of .NET's first client" : ""}`;

    it(`is looked for where the suffix says, and nowhere else (H16, S13): ${what}`, async () => {
      const seen: string[] = [];
      const siblings = {
        read: async (name: string) => {
          seen.push(name);
          return undefined;
        },
      };
      const { message } = await refusal("not-encrypted", () =>
        fetchInstructionFile(siblings, {}, { suffix, tryDotNetV1 }),
      );
      expect(seen).to.deep.equal(asked);
      expect(message).to.include(asked.map((name) => `"${name}"`).join(" or "));
    });

    it(`is the first that is there: ${what}`, async () => {
      const last = asked.at(-1) ?? "";
      const siblings = { read: async (name: string) => (name === last ? "text" : undefined) };
      expect(await fetchInstructionFile(siblings, {}, { suffix, tryDotNetV1 })).to.deep.equal({
        suffix: last,
        text: "text",
      });
    });
  }

  it("that may not be read is told as S3 tells it (H34)", async () => {
    const denied = Object.assign(new Error("Access Denied"), { $metadata: { httpStatusCode: 403 } });
    const siblings = { read: () => Promise.reject(denied) };
    const error = await fetchInstructionFile(siblings, {}, { suffix: undefined, tryDotNetV1: true }).catch((e) => e);
    expect(error).to.equal(denied);
  });
});
