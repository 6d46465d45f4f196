import { expect } from "chai";
import type { Handle } from "../dist/cryptoki.js";
import { SessionPool } from "../dist/session-pool.js";

/** A pool of numbered sessions, with a record of what was opened and closed. */
function poolOf(limit: number, openable = Number.POSITIVE_INFINITY) {
  let last = 0;
  const closed: number[] = [];
  const open = (): Handle => {
    if (last >= openable) throw new Error("CKR_SESSION_COUNT:177");
    return Buffer.of(++last);
  };
  const close = (session: Handle): void => void closed.push(...session);
  const pool = new SessionPool({ first: open(), open, close, limit });
  return { pool, closed, opened: () => last };
}

const numbers = (sessions: readonly (Handle | undefined)[]) => sessions.map((session) => session?.[0]);

describe("SessionPool", () => {
  it("opens no more sessions than its limit, and lends each to one at a time", async () => {
    const { pool, opened } = poolOf(2);
    const first = await pool.take();
    const second = await pool.take();
    const waiting = [pool.take(), pool.take()];
    expect(numbers([first, second])).to.have.members([1, 2]);
    expect(opened()).to.equal(2);
    if (first === undefined || second === undefined) throw new Error("There are two sessions.");
    pool.give(second);
    expect(numbers([await Promise.race(waiting)])).to.deep.equal([2]);
    pool.give(first);
    expect(numbers(await Promise.all(waiting))).to.deep.equal([2, 1]);
    expect(opened()).to.equal(2);
  });

  it("uses an idle session again before it opens another", async () => {
    const { pool, opened } = poolOf(4);
    for (let i = 0; i < 3; i++) {
      const session = await pool.take();
      if (session !== undefined) pool.give(session);
    }
    expect(opened()).to.equal(1);
  });

  it("waits where the token allows fewer sessions", async () => {
    const { pool } = poolOf(4, 1);
    const session = await pool.take();
    const waiting = pool.take();
    if (session === undefined) throw new Error("There is a session.");
    pool.give(session);
    expect(await waiting).to.equal(session);
  });

  it("does not hide why a session cannot be opened", async () => {
    const broken = new SessionPool({
      first: Buffer.of(1),
      open: () => {
        throw new Error("CKR_DEVICE_REMOVED:50");
      },
      close: () => {},
      limit: 2,
    });
    await broken.take();
    const failure: unknown = await broken.take().catch((error: unknown) => error);
    expect(failure).to.have.property("message", "CKR_DEVICE_REMOVED:50");
  });

  it("when retired closes idle sessions at once, lent ones later, and sends others away", async () => {
    const { pool, closed } = poolOf(2);
    const [first, second] = [await pool.take(), await pool.take()];
    const waiting = pool.take();
    if (first === undefined || second === undefined) throw new Error("There are two sessions.");
    pool.retire();
    expect(await waiting).to.equal(undefined);
    expect(await pool.take()).to.equal(undefined);
    expect(closed).to.deep.equal([]);
    let isDrained = false;
    const drained = pool.drain().then(() => {
      isDrained = true;
    });
    pool.give(first);
    await Promise.resolve();
    expect(isDrained).to.equal(false);
    pool.give(second);
    await drained;
    expect(closed).to.deep.equal([1, 2]);
  });
});
