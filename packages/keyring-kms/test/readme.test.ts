import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";

describe("the README's example", () => {
  it("works as it stands", async () => {
    const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
    const [, code = ""] = /```js\n(.*?)```/s.exec(readme) ?? [];
    const script = new URL("./readme-example.mjs", import.meta.url);
    await using server = await startDevServer({ buckets: ["my-bucket"] });
    server.kms.createKey({ alias: "alias/app" });
    await writeFile(script, code);
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [script.pathname], {
        env: {
          ...process.env,
          AWS_ENDPOINT_URL: server.endpoint,
          AWS_REGION: server.region,
          AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
        },
      });
      expect(stdout).to.equal("hello\n");
    } finally {
      await rm(script);
    }
    expect(server.requests.map(({ operation }) => operation)).to.include.members(["GenerateDataKey", "Decrypt"]);
  });
});
