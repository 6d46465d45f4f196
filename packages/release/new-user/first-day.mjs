// Runs in a folder where the packages were installed from a registry, beside the README: what it shows, on a local server.
import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { startDevServer } from "@s3ec/dev-server";

const readme = readFileSync("README.md", "utf8");
const examplesIn = (language) =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, code]) => code);
// One that needs what Java wrote, or a vault, is not for the first day.
const isForToday = (code) => !/java\.pem|vault/.test(code);

const server = await startDevServer({ buckets: ["demo"], aliases: ["alias/app"], region: "eu-west-1" });
try {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: server.endpoint,
    AWS_REGION: server.region,
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
  });
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  writeFileSync("escrow.pub.pem", publicKey.export({ type: "spki", format: "pem" }));
  writeFileSync("report.pdf", "a report");

  const programs = examplesIn("js").filter(isForToday);
  for (const [index, code] of programs.entries()) {
    writeFileSync(`example-${index}.mjs`, code);
    await import(`./example-${index}.mjs`);
  }
  // What is done to a whole bucket has tests of its own.
  const commands = examplesIn("sh").flatMap((code) =>
    code.split("\n").filter((line) => line.startsWith("s3ec ") && !line.includes("--recursive")),
  );
  for (const command of commands) {
    const args = command.split(" #")[0].trim().split(" ").slice(1);
    await promisify(execFile)("npx", ["--no-install", "s3ec", ...args]);
  }
  if (readFileSync("copy.pdf", "utf8") !== "a report") throw new Error("The file came back as another one.");
  console.log(`${programs.length} programs and ${commands.length} commands of the README did what they say.`);
} finally {
  await server.close();
}
