import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  DeleteObjectCommand,
  GetObjectAnnotationCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectAnnotationCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { listObjects, rewrapObjects } from "@s3ec/bulk";
import { addRecipient } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { expect } from "chai";
import { BUCKET, BulkFixture, numbered, renewed } from "./bulk-fixture.js";
import { dyingClient } from "./dying-client.js";
import { gathered } from "./gathered.js";

const Bucket = BUCKET;
const PROCESS = fileURLToPath(new URL("./run-process.js", import.meta.url));
/** `S3EC_KILLS=100` kills a process as many times. */
const KILLS = Number(process.env.S3EC_KILLS ?? 6);

describe("a run over many objects that is killed", () => {
  let fixture: BulkFixture;
  beforeEach(async () => {
    fixture = await BulkFixture.start();
  });
  afterEach(() => fixture.close());

  for (const last of ["unsent", "unanswered"] as const) {
    it(`writes recipients again that it had not written, and nothing twice, from whatever request on (${last})`, async () => {
      const [old, next] = ["2024", "2026"].map(
        (key) => new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key } }),
      ) as [RawAesKeyring, RawAesKeyring];
      let isDone = false;
      let tried = 0;
      for (let most = 1; !isDone; most++) {
        await fixture.put(["a"], { keyring: old });
        const partner = { recipient: "partner", in: "instruction-file", to: { keyring: old } } as const;
        await fixture.plain.send(new DeleteObjectCommand({ Bucket, Key: "a.partner" }));
        await addRecipient(fixture.client({ keyring: old }), { Bucket, Key: "a", ...partner });
        const options = {
          Bucket,
          to: { keyring: next },
          recipients: ["partner"],
          settleTime: 0,
          journal: { path: join(fixture.folder, `journal-${most}`), target: "2026" },
        };
        const run = async (client: Parameters<typeof rewrapObjects>[0]) =>
          await gathered(rewrapObjects(client, only("a"), options));
        const dying = dyingClient(fixture, { keyring: old }, { most, last });
        const [first] = await run(dying.client);
        isDone = first?.outcome === "rewrapped" && dying.sent.length < most;
        fixture.server.clearRequests();
        const [second] = await run(fixture.client({ keyring: old }));
        expect(second?.outcome, `${most} ${dying.sent.at(-1)}`).to.be.oneOf(["rewrapped", "current"]);
        const arrived = isDone || last === "unanswered" ? dying.sent : dying.sent.slice(0, -1);
        const written = arrived.filter((name) => name.startsWith("PUT copy")).length;
        expect(written + fixture.changes("CopyObject").length, `${most} ${dying.sent.at(-1)}`).to.equal(1);
        expect(await fixture.read("a", { keyring: next }), String(most)).to.equal("content of a");
        expect(await fixture.read("a", { keyring: old }), String(most)).to.equal("decryption-failed");
        fixture.server.clearRequests();
        expect((await run(fixture.client({ keyring: old })))[0]?.outcome).to.equal("current");
        expect(fixture.changes()).to.deep.equal([]);
        tried += 1;
      }
      expect(tried).to.be.greaterThan(12);
    });
  }

  it("puts annotations back that a copy in parts had put aside when it was killed", async () => {
    const [old, next] = ["2024", "2026"].map(
      (key) => new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key } }),
    ) as [RawAesKeyring, RawAesKeyring];
    const MiB = 1024 ** 2;
    const note = { Bucket, Key: "a", AnnotationName: "theirs" };
    const prepare = async () => {
      await fixture
        .client({ keyring: old })
        .send(new PutObjectCommand({ Bucket, Key: "a", Body: Buffer.alloc(5 * MiB + 1) }));
      await fixture.plain.send(new PutObjectAnnotationCommand({ ...note, AnnotationPayload: "text" }));
    };
    const run = async (client: Parameters<typeof rewrapObjects>[0], path: string) => {
      const journal = { path: join(fixture.folder, path), target: "2026" };
      const options = { Bucket, to: { keyring: next }, settleTime: 0, copyLimit: 5 * MiB, journal };
      return await gathered(rewrapObjects(client, only("a"), options));
    };
    await prepare();
    const whole = dyingClient(fixture, { keyring: old }, { most: 1000, last: "unanswered" });
    expect((await run(whole.client, "whole"))[0]?.outcome).to.equal("rewrapped");
    // The last POST completes the copy; behind it nothing is sent any more.
    const most = whole.sent.findLastIndex((name) => name.startsWith("POST")) + 1;
    await prepare();
    await run(dyingClient(fixture, { keyring: old }, { most, last: "unanswered" }).client, "killed");
    expect(await fixture.read("a", { keyring: next })).to.have.lengthOf(5 * MiB + 1);
    expect(await asideOf("a")).to.equal(true);
    expect((await run(fixture.client({ keyring: old }), "killed"))[0]?.outcome).to.be.oneOf(["rewrapped", "current"]);
    const { AnnotationPayload } = await fixture.plain.send(new GetObjectAnnotationCommand(note));
    expect(await AnnotationPayload?.transformToString()).to.equal("text");
    expect(await asideOf("a")).to.equal(false);
  });

  it("takes for annotations put aside only what a call has put aside, of keys that leave room for it", async () => {
    const long = "k".repeat(1015);
    await fixture.put(["g", long]);
    await fixture.plain.send(new PutObjectCommand({ Bucket, Key: "g.s3ec-annotations", Body: "somebody's own" }));
    for (const key of ["g", long]) {
      const path = join(fixture.folder, `journal of ${key.length}`);
      const options = { Bucket, to: { keyring: renewed }, settleTime: 0, journal: { path, target: "new" } };
      const run = () => gathered(rewrapObjects(fixture.client(), only(key), options));
      expect((await run())[0]?.outcome).to.equal("rewrapped");
      // As of a process that was killed before it had recorded that it was done.
      const [header, intent] = readFileSync(path, "utf8").split("\n");
      writeFileSync(path, `${header}\n${intent}\n`);
      const [again] = await run();
      expect([again?.outcome, again?.problem]).to.deep.equal([
        "current",
        "The journal says that it is done, and it stands as it did then.",
      ]);
    }
    const left = await fixture.plain.send(new GetObjectCommand({ Bucket, Key: "g.s3ec-annotations" }));
    expect(await left.Body?.transformToString()).to.equal("somebody's own");
  });

  async function asideOf(key: string): Promise<boolean> {
    const { KeyCount = 0 } = await fixture.plain.send(
      new ListObjectsV2Command({ Bucket, Prefix: `${key}.s3ec-annotations` }),
    );
    return KeyCount > 0;
  }

  it(`misses none, does none twice, and leaves all of them readable (kill -9, ${KILLS} times)`, async function () {
    this.timeout(KILLS * 30_000 + 300_000);
    const keys = numbered(KILLS * 6);
    await fixture.put(keys, { keyring: aes("old", KEYS.former) });
    const path = join(fixture.folder, "journal");
    fixture.server.clearRequests();
    const copied = new Map<string, number>();
    const count = (): void => {
      for (const key of fixture.changes("CopyObject")) copied.set(key, (copied.get(key) ?? 0) + 1);
      fixture.server.clearRequests();
    };
    const settings = { config: fixture.server.clientConfig, ...KEYS, path, Bucket };
    let killed = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const child = fork(PROCESS, [JSON.stringify(settings)], { stdio: "inherit", execArgv: ["--no-warnings"] });
      const ended = once(child, "exit");
      // Once it writes, at some moment.
      await Promise.race([once(child, "message"), ended]);
      await delay((kill * 37) % 60);
      child.kill("SIGKILL");
      const [, signal] = await ended;
      if (signal === "SIGKILL") killed += 1;
      count();
    }
    const options = {
      Bucket,
      to: { keyring: aes("new", KEYS.renewed) },
      settleTime: 0,
      journal: { path, target: "new" },
    };
    const client = fixture.client({ keyring: aes("old", KEYS.former) });
    const last = await gathered(rewrapObjects(client, listObjects(fixture.plain, { Bucket }), options));
    count();
    expect(killed).to.be.greaterThan(KILLS / 3);
    expect(last.map(({ Key }) => Key)).to.deep.equal(keys);
    for (const { Key, outcome } of last) expect(outcome, Key).to.be.oneOf(["current", "rewrapped"]);
    for (const Key of keys) {
      expect(await fixture.read(Key, { keyring: aes("new", KEYS.renewed) }), Key).to.equal(`content of ${Key}`);
      expect(copied.get(Key), Key).to.equal(1);
    }
  });
});

/** Keys made for this run; they protect nothing. */
const KEYS = { former: randomBytes(32).toString("base64"), renewed: randomBytes(32).toString("base64") };

function aes(key: string, wrappingKey: string): RawAesKeyring {
  return new RawAesKeyring({ wrappingKey: Buffer.from(wrappingKey, "base64"), materialDescription: { key } });
}

async function* only(Key: string) {
  yield { Key };
}
