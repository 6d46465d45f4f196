import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { startDevServer } from "@s3ec/dev-server";
import { environmentFor, runExample } from "@s3ec/test-support";
import { expect } from "chai";

describe("the README's example", () => {
  it("works as it stands", async () => {
    await using server = await startDevServer({ buckets: ["my-bucket"] });
    const client = new S3Client(server.clientConfig);
    await client.send(new PutObjectCommand({ Bucket: "my-bucket", Key: "reports/first quarter", Body: "four" }));
    client.destroy();
    const said = await runExample(import.meta.url, { env: environmentFor(server) });
    expect(said).to.equal('Succeeded {"state":"plain","storedLength":4,"wraps":[]}\n');
  });
});
