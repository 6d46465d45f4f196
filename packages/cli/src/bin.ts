#!/usr/bin/env node
// The SDK warns whoever builds on it about old Node versions; whoever runs a command can do nothing with that.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
// What cannot be printed is told to whoever prints it; nobody else has to hear, least of all with a stack trace.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
const [{ run }, { EXIT_CODES }] = await Promise.all([import("./program.js"), import("./exit-codes.js")]);

const exitCode = await run(process.argv.slice(2));
process.exitCode = exitCode;
// Whoever asked for the end does not wait for a server that does not answer.
const wasInterrupted = exitCode === EXIT_CODES.interrupted || exitCode === EXIT_CODES.terminated;
if (wasInterrupted) process.stderr.write("", () => process.exit());
