import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture } from "./fixture.js";

const PACKAGE = fileURLToPath(new URL("../", import.meta.url));

describe("docs/large-objects.md", () => {
  it("has examples that work one behind the other", async () => {
    const page = readFileSync(join(PACKAGE, "../../docs/large-objects.md"), "utf8");
    const examples = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code = ""]) => code);
    expect(examples).to.have.length(3);
    const fixture = await Fixture.start();
    // Inside the package, where what it imports is found.
    const folder = mkdtempSync(join(PACKAGE, "dist-test", "page-"));
    const { XDG_CONFIG_HOME } = process.env;
    // Where the secret of uploads that resume is kept.
    process.env.XDG_CONFIG_HOME = join(folder, "config");
    try {
      const film = bytesOfLength(6 * 1024 * 1024);
      writeFileSync(join(folder, "film.mp4"), film);
      const code = examples.join("\n");
      const imports = code.match(/^import .*$/gm) ?? [];
      const body = code
        .replace(/^import .*$/gm, "")
        .replaceAll("{ region", "{ ...config")
        .replaceAll(/"(film|copy)\.mp4"/g, (_, name) => JSON.stringify(join(folder, `${name}.mp4`)));
      const given = "{ config, wrappingKey, Bucket, Key, console, fetchedWithAnyTool }";
      const run = `export async function run(${given}) {${body}s3.destroy(); plain.destroy();}`;
      const file = join(folder, "page.mjs");
      writeFileSync(file, `${imports.join("\n")}\n${run}`);
      const said: string[] = [];
      const signals = process.listenerCount("SIGTERM");
      await (await import(pathToFileURL(file).href)).run({
        config: fixture.server.clientConfig,
        wrappingKey: randomBytes(32),
        Bucket: BUCKET,
        Key: "film",
        console: { log: (line: string) => said.push(line) },
        fetchedWithAnyTool: async (Key: string) => {
          const { Body } = await fixture.plain.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
          return await Body?.transformToByteArray();
        },
      });
      expect(said).to.include(`up: ${film.length} of ${film.length} bytes`);
      expect(said).to.include(`down: ${film.length} of ${film.length} bytes`);
      expect(said.at(-1)).to.equal("for the archive");
      expect(readFileSync(join(folder, "copy.mp4")).equals(film)).to.equal(true);
      expect(readdirSync(folder)).to.have.members(["config", "film.mp4", "copy.mp4", "page.mjs"]);
      expect(process.listenerCount("SIGTERM")).to.equal(signals);
    } finally {
      if (XDG_CONFIG_HOME === undefined) delete process.env.XDG_CONFIG_HOME;
      else process.env.XDG_CONFIG_HOME = XDG_CONFIG_HOME;
      rmSync(folder, { recursive: true });
      await fixture.close();
    }
  });
});
