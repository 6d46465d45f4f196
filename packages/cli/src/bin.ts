#!/usr/bin/env node
// The SDK warns whoever builds on it about old Node versions; whoever runs a command can do nothing with that.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
// Whoever reads what is printed may stop, as `head` does: no reason to fail, or to leave work half done.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}
const { run } = await import("./program.js");

process.exitCode = await run(process.argv.slice(2));
