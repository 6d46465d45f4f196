import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { expect } from "chai";
import { s3ec, temporaryFolder } from "./command.js";

const MiB = 1024 * 1024;
/** Far more than is asked for, and than sockets hold. */
const LIMIT = 128 * MiB;

describe("s3ec inspect, of a store that sends without end", function () {
  this.timeout(60_000);
  let server: Server;
  let temporary: ReturnType<typeof temporaryFolder>;
  let sent = 0;

  before(async () => {
    temporary = temporaryFolder();
    server = createServer(async ({ method, url = "" }, response) => {
      if (method === "HEAD") return void response.setHeader("content-length", 100).end();
      if (url.startsWith("/demo/object") || url.includes(".instruction")) return void (await sendWithoutEnd(response));
      response.end("no message");
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    temporary.remove();
  });
  beforeEach(() => {
    sent = 0;
  });

  async function sendWithoutEnd(response: ServerResponse): Promise<void> {
    const pieces = function* (): Generator<Uint8Array> {
      for (; sent < LIMIT; sent += MiB) yield Buffer.alloc(MiB, 2);
    };
    await pipeline(Readable.from(pieces()), response).catch(() => {});
  }

  for (const [what, key] of [
    ["the beginning of an object", "object"],
    ["an instruction file", "in-file"],
  ] as const) {
    it(`reads no further than it asked for: ${what}`, async () => {
      const { port } = server.address() as AddressInfo;
      const args = ["inspect", `s3://demo/${key}`, "--dev-server", `http://127.0.0.1:${port}`];
      const { code, stderr } = await s3ec(args, temporary.folder);
      expect([code, stderr]).to.deep.equal([4, "s3ec: The instruction file is larger than any client writes.\n"]);
      expect(sent).to.be.below(LIMIT / 2);
    });
  }
});
