import { expect } from "chai";
import { type TransferPace, TransferSpeed } from "../dist/transfer/transfer-speed.js";

/** What is told at each moment, in milliseconds, with so many bytes. */
function paces(total: number | undefined, loaded: number, moments: readonly [number, number][]): TransferPace[] {
  let now = 0;
  const speed = new TransferSpeed(total, loaded, () => now);
  return moments.map(([time, bytes]) => {
    now = time;
    return speed.at(bytes);
  });
}

describe("the pace of a transfer", () => {
  it("is what came meanwhile, and says how long the rest takes", () => {
    expect(
      paces(1000, 0, [
        [500, 100],
        [1000, 400],
      ]),
    ).to.deep.equal([
      { bytesPerSecond: 200, secondsLeft: 4.5 },
      { bytesPerSecond: 400, secondsLeft: 1.5 },
    ]);
  });

  it("does not count what was there before", () => {
    expect(paces(1000, 600, [[1000, 700]])).to.deep.equal([{ bytesPerSecond: 100, secondsLeft: 3 }]);
  });

  it("does not count what turns out to have been there", () => {
    let now = 0;
    const speed = new TransferSpeed(1000, 0, () => now);
    now = 1000;
    speed.at(100);
    speed.skip(500);
    now = 2000;
    expect(speed.at(700)).to.deep.equal({ bytesPerSecond: 100, secondsLeft: 3 });
  });

  it("forgets what is longer ago than some seconds", () => {
    const slow = Array.from({ length: 60 }, (_, index): [number, number] => [(index + 1) * 1000, index + 1]);
    const told = paces(undefined, 0, [...slow, [61_000, 10_060], [70_000, 20_060]]);
    expect(told[59]).to.deep.equal({ bytesPerSecond: 1 });
    expect(told[60]?.bytesPerSecond).to.be.within(10_000 / 6, 10_005 / 5);
    expect(told[61]?.bytesPerSecond).to.be.closeTo(10_000 / 9, 1);
  });

  it("is not known before anything came, or time passed", () => {
    expect(
      paces(10, 0, [
        [0, 5],
        [0, 6],
      ]),
    ).to.deep.equal([{}, {}]);
    expect(paces(10, 5, [[1000, 5]])).to.deep.equal([{}]);
  });

  it("leaves no negative time for more than was said", () => {
    expect(paces(10, 0, [[1000, 20]])).to.deep.equal([{ bytesPerSecond: 20, secondsLeft: 0 }]);
  });
});
