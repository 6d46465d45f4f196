import { expect } from "chai";
import { messageReadVerdict, messageWriteVerdict } from "../../dist/messages/message-expectations.js";
import { MESSAGE_CLIENT_NAMES } from "../../dist/messages/message-job.js";
import { writtenMessages } from "../../dist/messages/written-message.js";

const messages = writtenMessages(new Set(MESSAGE_CLIENT_NAMES));

describe("messageWriteVerdict", () => {
  it("expects a refusal of nobody but Python, which counts frames in 128 bytes", () => {
    const refused = messages.filter((message) => messageWriteVerdict(message).outcome === "refused");
    expect(new Set(refused.map(({ writer, frameLength }) => `${writer} ${frameLength}`))).to.deep.equal(
      new Set(["esdk-python 1", "esdk-python 64"]),
    );
  });
});

describe("messageReadVerdict", () => {
  it("expects the default policy to refuse exactly what has no key commitment", () => {
    for (const message of messages) {
      const { outcome } = messageReadVerdict(message, "default-policy");
      expect(outcome, JSON.stringify(message)).to.equal(message.suite < 0x0400 ? "refused" : "ok");
      expect(messageReadVerdict(message, "as-written").outcome).to.equal("ok");
    }
  });

  it("expects nobody to read with another key or to overlook another context", () => {
    const [message] = messages;
    if (message === undefined) throw new Error("There are messages.");
    expect(messageReadVerdict(message, "other-key").outcome).to.equal("refused");
    expect(messageReadVerdict(message, "other-context").outcome).to.equal("refused");
  });
});
