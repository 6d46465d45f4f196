import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { manyHeads } from "../../dist/objects/many-heads.js";

describe("many HEADs of a bucket", () => {
  let server: DevServer;
  let client: S3Client;
  let stacks = 0;
  before(async () => {
    server = await startDevServer({ buckets: ["demo", "other"] });
    client = new S3Client(server.clientConfig);
    for (const length of [1, 2, 3]) {
      const Body = Buffer.alloc(length);
      await client.send(new PutObjectCommand({ Bucket: "demo", Key: `${length}`, Body }));
      await client.send(new PutObjectCommand({ Bucket: "other", Key: `${length}`, Body: Buffer.alloc(10 + length) }));
    }
    const counting = <T>(next: T): T => {
      stacks += 1;
      return next;
    };
    client.middlewareStack.add(counting, { step: "initialize" });
  });
  after(async () => {
    client.destroy();
    await server.close();
  });

  const heads = (Bucket: string, signal = new AbortController().signal) => manyHeads(client, { Bucket }, signal);
  const sizes = (Bucket: string): Promise<(number | undefined)[]> => {
    const head = heads(Bucket);
    return Promise.all(["1", "2", "3"].map(async (key) => (await head(key)).ContentLength));
  };

  it("tell each its own, also of two buckets at once, by middleware that was put together once for each", async () => {
    stacks = 0;
    expect(await Promise.all([sizes("demo"), sizes("other")])).to.deep.equal([
      [1, 2, 3],
      [11, 12, 13],
    ]);
    expect(stacks).to.equal(2);
  });

  it("fail as one does, and leave the others alone", async () => {
    const head = heads("demo");
    const [missing, there] = await Promise.allSettled([head("none"), head("1")]);
    expect(missing).to.have.nested.property("reason.$metadata.httpStatusCode", 404);
    expect(there).to.have.nested.property("value.ContentLength", 1);
  });

  it("end when that is asked for", async () => {
    const controller = new AbortController();
    const head = heads("demo", controller.signal);
    await head("1");
    controller.abort();
    expect(await head("1").catch((error: unknown) => error)).to.have.property("name", "AbortError");
  });
});
