import { readFileSync } from "node:fs";
import { type Fault, startDevServer } from "@s3ec/dev-server";
import { BUCKET } from "./bench-server.js";

// The other end of BenchServer: a server in a process of its own, so that its work is not counted as the client's.
const [directory = "", cert, key] = process.argv.slice(2);
const tls =
  cert === undefined || key === undefined
    ? {}
    : { tls: { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") } };
const server = await startDevServer({ directory, buckets: [BUCKET], fsync: false, entityTags: "opaque", ...tls });

process.on("message", ({ fault }: { readonly fault?: Fault }) => {
  server.faults.clear();
  if (fault !== undefined) server.faults.add(fault);
  process.send?.({ done: true });
});
process.on("disconnect", () => void server.close());
process.send?.(server.clientConfig);
