import { expect } from "chai";
import {
  MESSAGE_CLIENT_NAMES,
  type MessageClientName,
  OFFICIAL_MESSAGE_CLIENTS,
} from "../../dist/messages/message-job.js";
import {
  COMMITTED_SUITES,
  MESSAGE_CONTEXTS,
  MESSAGE_KEYRINGS,
  UNCOMMITTED_SUITES,
  writtenMessages,
} from "../../dist/messages/written-message.js";

const messages = writtenMessages(new Set(MESSAGE_CLIENT_NAMES));

describe("writtenMessages", () => {
  it("lets every SDK write under every keyring, in every suite, and around the end of a frame", () => {
    for (const writer of OFFICIAL_MESSAGE_CLIENTS) {
      const own = messages.filter((message) => message.writer === writer);
      expect(new Set(own.map(({ keyring }) => keyring)), writer).to.deep.equal(new Set(MESSAGE_KEYRINGS));
      const suites = [...COMMITTED_SUITES, ...UNCOMMITTED_SUITES];
      expect(new Set(own.map(({ suite }) => suite)), writer).to.deep.equal(new Set(suites));
      const sizes = own.filter(({ frameLength }) => frameLength === 4096).map(({ size }) => size);
      expect(new Set(sizes), writer).to.deep.equal(new Set([0, 1, 4095, 4096, 4097, 6 * 1024 * 1024]));
    }
  });

  it("lets ours write all that it offers: no PKCS#1 v1.5, and nothing without key commitment", () => {
    const own = messages.filter(({ writer }) => writer === "ours");
    const offered = MESSAGE_KEYRINGS.filter((keyring) => keyring !== "rsa-pkcs1");
    expect(new Set(own.map(({ keyring }) => keyring))).to.deep.equal(new Set(offered));
    expect(new Set(own.map(({ suite }) => suite))).to.deep.equal(new Set(COMMITTED_SUITES));
  });

  it("never names the same message twice", () => {
    expect(new Set(messages.map((message) => JSON.stringify(message))).size).to.equal(messages.length);
  });

  it("writes nothing for clients that do not run", () => {
    const clients: ReadonlySet<MessageClientName> = new Set(["esdk-java"]);
    expect(new Set(writtenMessages(clients).map(({ writer }) => writer))).to.deep.equal(clients);
  });

  it("has a context whose order tells UTF-8 from UTF-16, and one name that no normal form leaves alone", () => {
    const names = Object.keys(MESSAGE_CONTEXTS["non-ascii"]);
    const byBytes = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(names.toSorted()).not.to.deep.equal(byBytes);
    expect(names.filter((name) => name.normalize("NFC") !== name)).to.have.length(1);
  });
});
