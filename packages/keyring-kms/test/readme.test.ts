import { startDevServer } from "@s3ec/dev-server";
import { environmentFor, runExample } from "@s3ec/test-support";
import { expect } from "chai";

describe("the README's example", () => {
  it("works as it stands", async () => {
    await using server = await startDevServer({ buckets: ["my-bucket"] });
    server.kms.createKey({ alias: "alias/app" });
    expect(await runExample(import.meta.url, { env: environmentFor(server) })).to.equal("hello\n");
    expect(server.requests.map(({ operation }) => operation)).to.include.members(["GenerateDataKey", "Decrypt"]);
  });
});
