import { setTimeout } from "node:timers/promises";
import { expect } from "chai";
import { inParallel } from "../dist/in-parallel.js";
import { gathered, refusal } from "./gathered.js";

async function* numbers(count: number, taken: number[] = []) {
  for (let index = 0; index < count; index++) {
    taken.push(index);
    yield index;
  }
}

describe("inParallel", () => {
  for (const concurrency of [1, 3, 16]) {
    it(`works on ${concurrency} at once, never on more, and keeps their order`, async () => {
      let [running, most] = [0, 0];
      const work = async (index: number) => {
        most = Math.max(most, ++running);
        await setTimeout(index % 7 === 0 ? 8 : index % 3);
        running -= 1;
        return index;
      };
      expect(await gathered(inParallel(numbers(100), concurrency, work))).to.deep.equal([...Array(100).keys()]);
      expect(most).to.equal(concurrency);
      expect(await gathered(inParallel(numbers(0), concurrency, work))).to.deep.equal([]);
    });
  }

  it("goes on behind a slow one, though not without end", async () => {
    const taken: number[] = [];
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const results = inParallel(numbers(1000, taken), 4, async (index) => {
      if (index === 0) await held;
      return index;
    });
    const first = results.next();
    await setTimeout(20);
    expect(taken).to.have.length.within(16, 64);
    release();
    expect((await first).value).to.equal(0);
    expect(await gathered(results)).to.have.length(999);
  });

  it("throws what the work throws, after all that was done, and ends what is under way first", async () => {
    let running = 0;
    const seen: number[] = [];
    const taken: number[] = [];
    const work = async (index: number) => {
      running += 1;
      await setTimeout(index * 2);
      running -= 1;
      if (index === 3) throw new Error("three");
      return index;
    };
    const all = (async () => {
      for await (const result of inParallel(numbers(50, taken), 8, work)) seen.push(result);
    })();
    expect((await refusal(all)).message).to.equal("three");
    expect(taken).to.have.length.within(8, 20);
    expect(seen).to.deep.equal(taken.filter((index) => index !== 3));
    expect(running).to.equal(0);
    for await (const _ of inParallel(numbers(50), 8, async (index) => work(index + 10))) break;
    expect(running).to.equal(0);
  });

  it("throws what the items throw, after what was done of those before", async () => {
    async function* broken() {
      yield* numbers(5);
      throw new Error("The listing broke off.");
    }
    const seen: number[] = [];
    const all = (async () => {
      for await (const result of inParallel(broken(), 8, async (index) => setTimeout(10, index))) seen.push(result);
    })();
    expect((await refusal(all)).message).to.equal("The listing broke off.");
    expect(seen).to.deep.equal([0, 1, 2, 3, 4]);
  });
});
