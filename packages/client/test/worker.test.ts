import { printedBy } from "@s3ec/test-support";
import { expect } from "chai";

/** In a process that takes itself for a Worker, before anything is loaded. */
const PROGRAM = `
Object.defineProperty(globalThis, "navigator", { value: { userAgent: "Cloudflare-Workers" } });
const { resolveOptions } = await import(${JSON.stringify(new URL("../dist/options.js", import.meta.url).href)});
const { openWhole } = await import(${JSON.stringify(new URL("../dist/read/whole-content.js", import.meta.url).href)});
const options = resolveOptions({ keyring: { wrapAlgorithms: [], onEncrypt() {}, onDecrypt() {} } });
const opened = { proves: "whole", plaintextLength: (stored) => stored - 16 };
const body = { chunks: [], destroy() {} };
const refusal = await openWhole(options, opened, options.bufferSize + 17, body).catch((error) => error);
console.log(JSON.stringify({ bufferSize: options.bufferSize, spool: options.spool, code: refusal.code, message: refusal.message }));
`;

describe("the defaults in a Worker, which has 128 MiB and no disk", () => {
  it("hold 32 MiB, spool nothing, and say what to do with a larger object", async () => {
    const { bufferSize, spool, code, message } = JSON.parse(await printedBy(PROGRAM));
    expect({ bufferSize, spool, code }).to.deep.equal({
      bufferSize: 32 * 1024 * 1024,
      spool: false,
      code: "content-too-large",
    });
    expect(message).to.contain("read it in ranges (a Worker has no disk to spool to)");
  });
});
