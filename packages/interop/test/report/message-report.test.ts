import { expect } from "chai";
import { messageReadVerdict, messageWriteVerdict } from "../../dist/messages/message-expectations.js";
import type { MessageCell } from "../../dist/messages/message-matrix.js";
import { type WrittenMessage, writtenMessages } from "../../dist/messages/written-message.js";
import { messageReport } from "../../dist/report/message-report.js";

function find(test: (message: WrittenMessage) => boolean): WrittenMessage {
  const found = writtenMessages(new Set(["esdk-python", "esdk-java"])).find(test);
  if (found === undefined) throw new Error("There is such a message.");
  return found;
}

function written(message: WrittenMessage, outcome: MessageCell["outcome"] = "ok"): MessageCell {
  return { message, expected: messageWriteVerdict(message), outcome, detail: "" };
}

function read(message: WrittenMessage, keyring: MessageCell["keyring"], outcome: MessageCell["outcome"]): MessageCell {
  const expected = messageReadVerdict(message, "as-written");
  const reader = "esdk-java";
  return { message, reader, reading: "as-written", expected, outcome, detail: "", ...(keyring ? { keyring } : {}) };
}

describe("messageReport", () => {
  const multi = find(({ keyring, frameLength }) => keyring === "multi" && frameLength === 128);
  const tiny = find(({ writer, frameLength }) => writer === "esdk-python" && frameLength === 1);

  it("tells a multi-keyring's members apart, and explains exceptions", () => {
    const text = messageReport([
      written(multi),
      read(multi, "multi", "ok"),
      read(multi, "kms", "ok"),
      written(tiny, "refused"),
    ]);
    expect(text).to.include("| Python: multi | yes |").and.to.include("| Python: multi, read with KMS alone | yes |");
    expect(text)
      .to.include("| Python: frames of 1 (a) |")
      .and.to.match(/\| \(a\) \| 1 \| refused \| .*128/);
    expect(text).not.to.include("unexpected");
  });

  it("marks what was not expected", () => {
    expect(messageReport([written(multi), read(multi, "kms", "refused")])).to.include("- **unexpected**");
    expect(messageReport([written(multi, "refused"), read(multi, "multi", "ok")])).to.include("multi **unexpected**");
  });
});
