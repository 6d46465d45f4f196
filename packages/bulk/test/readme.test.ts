import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { startDevServer } from "@s3ec/dev-server";
import { environmentFor, runExample } from "@s3ec/test-support";
import { expect } from "chai";

describe("the README's example", () => {
  it("works as it stands", async () => {
    await using server = await startDevServer({ buckets: ["my-bucket"] });
    const client = new S3Client(server.clientConfig);
    await client.send(new PutObjectCommand({ Bucket: "my-bucket", Key: "reports/a", Body: "four" }));
    await client.send(new PutObjectCommand({ Bucket: "my-bucket", Key: "other", Body: "" }));
    client.destroy();
    const said = await runExample(import.meta.url, { env: environmentFor(server), files: {} });
    expect(said).to.equal("reports/a plain \n1 4\n");
  });
});
