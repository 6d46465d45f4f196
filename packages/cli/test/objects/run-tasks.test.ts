import { expect } from "chai";
import { runTasks, type Task } from "../../dist/objects/run-tasks.js";
import { TransferReport } from "../../dist/objects/transfer-report.js";

describe("many tasks", () => {
  const step = { operation: "upload", from: "file" } as const;
  const { signal } = new AbortController();

  it("go on with small ones while large ones wait for each other", async () => {
    let [under, most, large, small] = [0, 0, 0, 0];
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let endSmall = (): void => {};
    const allSmall = new Promise<void>((resolve) => {
      endSmall = resolve;
    });
    async function* tasks(): AsyncGenerator<Task> {
      for (let number = 0; number < 20; number += 1) {
        yield {
          step,
          size: 100_000_000,
          run: async () => {
            large += 1;
            under += 1;
            most = Math.max(most, under);
            await held;
            under -= 1;
            return { state: "done", bytes: 1 };
          },
        };
      }
      for (let number = 0; number < 30; number += 1) {
        yield {
          step,
          size: 1,
          run: async () => {
            small += 1;
            under += 1;
            most = Math.max(most, under);
            await new Promise((resolve) => setImmediate(resolve));
            under -= 1;
            if (small === 30) endSmall();
            return { state: "done", bytes: 1 };
          },
        };
      }
    }
    const report = new TransferReport({ quiet: true });
    const running = runTasks(tasks(), report, { dryrun: false, signal, concurrency: 4 });
    await allSmall;
    expect({ large, most }).to.deep.equal({ large: 2, most: 4 });
    release();
    await running;
    expect({ large, most }).to.deep.equal({ large: 20, most: 4 });
    expect(await report.end(true)).to.equal(0);
  });
});
