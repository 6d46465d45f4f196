import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { expect } from "chai";
import { temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

const MiB = 1024 * 1024;
/** Far more than is asked for, and than sockets hold. */
const LIMIT = 128 * MiB;

describe("s3ec inspect, of a store that sends without end", () => {
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

describe("s3ec inspect, of an object whose writer means the terminal", () => {
  const evil = "\u001b]0;owned\u0007\u009b2J\n  Format      V3, verified\r\u202etxt\u2028x";
  const base64 = (length: number): string => Buffer.alloc(length, 1).toString("base64");
  let server: Server;
  let temporary: ReturnType<typeof temporaryFolder>;
  let endpoint: string;

  before(async () => {
    temporary = temporaryFolder();
    const message = messageOf(evil);
    server = createServer(({ method, url = "" }, response) => {
      if (url.startsWith("/demo/refused")) {
        const code = "Evil&#x1b;[2J ".repeat(100);
        response.statusCode = 418;
        return void response.end(`<Error><Code>${code}</Code><Message>m&#x1b;[31m&#10;x</Message></Error>`);
      }
      if (url.startsWith("/demo/message")) {
        response.statusCode = method === "HEAD" ? 200 : 206;
        response.setHeader("content-length", message.length);
        return void response.end(method === "HEAD" ? "" : message);
      }
      const description = JSON.stringify({ [evil]: evil }).replace(/[^ -~]/g, (character) => {
        return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
      });
      const fields = { c: "115", d: base64(28), i: base64(28), 3: base64(60), w: "02", m: description };
      for (const [name, value] of Object.entries(fields)) response.setHeader(`x-amz-meta-x-amz-${name}`, value);
      response.setHeader("content-length", 100);
      // Of what it lists, it never sends all.
      if (method === "HEAD") response.end();
      else response.write("<");
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    temporary.remove();
  });

  for (const key of ["object", "message", "refused"]) {
    for (const more of [[], ["--json"]]) {
      it(`prints nothing that a terminal acts on: ${key} ${more.join("")}`, async () => {
        const args = ["inspect", `s3://demo/${key}`, "--dev-server", endpoint, ...more];
        const { stdout, stderr } = await s3ec(args, temporary.folder);
        const printed = stdout + stderr;
        expect(printed)
          .to.include("\\u001b")
          .and.not.match(/[^\P{C}\n]|[\u2028\u2029]/u);
        expect(printed.match(/^ {2}Format/gm)?.length ?? 0).to.be.at.most(1);
        expect(stderr.length).to.be.below(2000);
        if (key === "object" && more.length > 0) expect(JSON.parse(stdout).description).to.deep.equal({ [evil]: evil });
      });
    }
  }

  /** A header of version 2 whose names are all the writer's. */
  function messageOf(text: string): Buffer {
    const uint16 = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff);
    const field = (value: string | Buffer): Buffer[] => [uint16(Buffer.byteLength(value)), Buffer.from(value)];
    const context = Buffer.concat([uint16(1), ...field(text), ...field(text)]);
    const keys = [uint16(1), ...field(text), ...field(text), ...field(Buffer.alloc(48))];
    const start = [Buffer.of(2, 4, 0x78), Buffer.alloc(32), uint16(context.length), context];
    return Buffer.concat([...start, ...keys, Buffer.of(2, 0, 1, 0, 0), Buffer.alloc(48 + 100)]);
  }
});
