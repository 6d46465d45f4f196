import { Readable } from "node:stream";
import { expect } from "chai";
import { drained } from "../dist/read/drained.js";
import { errorOf } from "./transfers.js";

describe("a stream that is drained", () => {
  /** What it comes to, and what had been taken by then, where taking the only chunk ends when it is told to. */
  async function endOf(end: (stream: Readable) => void): Promise<readonly unknown[]> {
    const told: unknown[] = [];
    const stream = new Readable({ read() {} });
    let finish = (): void => {};
    const busy = new Promise<void>((resolve) => {
      finish = () => {
        told.push("taken");
        resolve();
      };
    });
    const draining = drained(stream, () => busy).then(
      () => told.push("end"),
      (error: unknown) => told.push(error instanceof Error ? error.message : error),
    );
    stream.push(Buffer.alloc(10));
    await new Promise(setImmediate);
    end(stream);
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
    finish();
    await draining;
    return told;
  }

  it("does not end before what came last is taken: whoever asks for the rest would be taken in between", async () => {
    expect(await endOf((stream) => stream.destroy(new Error("broken")))).to.deep.equal(["taken", "broken"]);
    expect(await endOf((stream) => stream.destroy())).to.deep.equal([
      "taken",
      "The connection was closed before the end of the answer.",
    ]);
    expect(await endOf((stream) => stream.push(null))).to.deep.equal(["taken", "end"]);
  });

  it("fails with what a chunk cannot be taken for, and lets go of the stream", async () => {
    const stream = Readable.from([Buffer.alloc(10), Buffer.alloc(10)]);
    const full = new Error("full");
    expect(await errorOf(drained(stream, () => Promise.reject(full)))).to.equal(full);
    expect(stream.destroyed).to.equal(true);
  });
});
