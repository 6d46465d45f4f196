import { expect } from "chai";
import type { GetJob } from "../../dist/objects/job.js";
import { ProcessPeer } from "../../dist/peers/process-peer.js";

/** A peer in a line of JavaScript: `answer(job, times)` is called with how often this process was asked. */
function peerThat(answer: string, jobTimeoutMs = 60_000): ProcessPeer<string, GetJob> {
  const program = `
    const answer = ${answer};
    let times = 0;
    require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
      const job = JSON.parse(line);
      const given = answer(job, ++times);
      if (given) console.log(JSON.stringify({ id: job.id, ...given }));
    });`;
  return new ProcessPeer(["ruby-v1"], { command: process.execPath, args: ["-e", program], env: {}, jobTimeoutMs });
}

function jobFor(key: string): GetJob {
  const service = { endpoint: "http://127.0.0.1:1", region: "us-west-2" };
  const keyring = { type: "kms", keyId: "a" } as const;
  const place = { bucket: "b", key, placement: "metadata" } as const;
  return {
    op: "get",
    client: "ruby-v1",
    s3: service,
    kms: service,
    keyring,
    legacy: true,
    delayedAuthentication: false,
    ...place,
  };
}

describe("ProcessPeer", () => {
  it("gives each of several jobs at once its own answer", async () => {
    const peer = peerThat("(job) => ({ ok: true, length: job.key.length, sha256: job.key })");
    const answers = await Promise.all(["a", "bb", "ccc"].map((key) => peer.run(jobFor(key))));
    await peer.close();
    expect(answers).to.deep.equal([
      { ok: true, length: 1, sha256: "a" },
      { ok: true, length: 2, sha256: "bb" },
      { ok: true, length: 3, sha256: "ccc" },
    ]);
  });

  it("reports a crash, and a new process takes the next job", async () => {
    const peer = peerThat(
      '(job, times) => job.key === "end" ? process.exit(1) : { ok: true, length: times, sha256: "" }',
    );
    const first = await peer.run(jobFor("end"));
    const second = await peer.run(jobFor("go on"));
    await peer.close();
    expect(first).to.include({ ok: false, error: "Crash" });
    expect(second).to.deep.equal({ ok: true, length: 1, sha256: "" });
  });

  it("reports a hang that comes twice, without holding up the next job", async () => {
    const peer = peerThat('(job) => job.key === "hang" ? undefined : { ok: true, length: 0, sha256: "" }', 3_000);
    const first = await peer.run(jobFor("hang"));
    const second = await peer.run(jobFor("go on"));
    await peer.close();
    expect(first).to.include({ ok: false, error: "Hang" });
    expect(second).to.include({ ok: true });
  });

  it("asks a new process when a job hangs, since a client may stall by what it read before", async () => {
    const peer = peerThat('(job, times) => times > 1 ? undefined : { ok: true, length: 0, sha256: "" }', 3_000);
    const answers = [await peer.run(jobFor("one")), await peer.run(jobFor("two"))];
    await peer.close();
    expect(answers.map(({ ok }) => ok)).to.deep.equal([true, true]);
  });

  it("reports a program that is not there as a crash", async () => {
    const peer = new ProcessPeer(["ruby-v1"], { command: "/nowhere", args: [], env: {}, jobTimeoutMs: 60_000 });
    expect(await peer.run(jobFor("a"))).to.include({ ok: false, error: "Crash" });
  });
});
