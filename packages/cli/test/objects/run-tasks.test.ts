import { S3EncryptionError } from "@s3ec/materials";
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

  class Told extends TransferReport {
    readonly steps: string[] = [];
    override async done({ from }: { readonly from: string }): Promise<void> {
      this.steps.push(`done ${from}`);
    }
    override async fail({ from }: { readonly from: string }): Promise<void> {
      this.steps.push(`failed ${from}`);
    }
  }
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
  const task = (from: string, run: () => Promise<void>, size = 1): Task => ({
    step: { operation: "move", from },
    size,
    run: async () => {
      await run();
      return { state: "done", bytes: 1 };
    },
  });
  const fullDisk = (cause: object): S3EncryptionError =>
    new S3EncryptionError("content-too-large", "It does not fit.", {
      cause: Object.assign(new Error("no room"), { code: "ENOSPC" }, cause),
    });

  for (const [how, end] of [
    ["one that would fail for all", fullDisk({ syscall: "write" })],
    ["one that is small, and does not fit", fullDisk({})],
    ["the source of tasks failing", undefined],
    ["a signal", new AbortController()],
  ] as const) {
    it(`ended by ${how} are told, those behind a slow one, too, and no more are begun`, async () => {
      const report = new Told({ quiet: true });
      const ended = end instanceof AbortController ? end : new AbortController();
      const reason = end instanceof Error ? end : new Error("ends it");
      let begun = 0;
      const quick = async (): Promise<void> => {
        begun += 1;
      };
      const slow = async (): Promise<void> => {
        begun += 1;
        for (let turn = 0; turn < 6; turn += 1) await pause();
      };
      async function* tasks(): AsyncGenerator<Task> {
        yield task("slow", slow);
        yield task("quick", quick);
        await pause();
        if (end === undefined) throw reason;
        if (end instanceof AbortController) ended.abort(reason);
        else {
          yield task("ending", async () => {
            throw reason;
          });
        }
        await pause();
        for (let number = 0; number < 50; number += 1) yield task(`late ${number}`, quick);
      }
      const run = runTasks(tasks(), report, { dryrun: false, signal: ended.signal, concurrency: 4 });
      expect(await run.catch((error: unknown) => error)).to.equal(reason);
      const told = end instanceof Error ? ["failed ending"] : [];
      expect(report.steps).to.have.members([...told, "done slow", "done quick"]);
      expect(begun).to.equal(2);
    });
  }

  it("go on where a large one is refused that would not fit, before anything of it is written", async () => {
    const report = new Told({ quiet: true });
    async function* tasks(): AsyncGenerator<Task> {
      const refused = async (): Promise<void> => {
        throw fullDisk({});
      };
      yield task("large", refused, 1e9);
      yield task("small", async () => {});
    }
    await runTasks(tasks(), report, { dryrun: false, signal });
    expect(report.steps).to.deep.equal(["failed large", "done small"]);
  });
});
