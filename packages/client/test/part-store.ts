import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request to the store. */
export interface Asked {
  readonly method: string;
  readonly headers: IncomingMessage["headers"];
  /** Of an UploadPart. */
  readonly part: number | undefined;
  /** How often the same was asked, from 1 on. */
  readonly attempt: number;
  /** Bytes of its body that have arrived, as they stand on the wire. */
  received: number;
  /** Whether all of it has. */
  isOver: boolean;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * A store that takes everything and keeps nothing, and whose answers a test may give itself, when it likes: before a body
 * was sent, for example.
 */
export class PartStore {
  readonly asked: Asked[] = [];
  readonly #server: Server;
  readonly #instead: (asked: Asked) => boolean | Promise<boolean>;

  private constructor(instead: (asked: Asked) => boolean | Promise<boolean>) {
    this.#instead = instead;
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      this.#serve(request, response).catch(() => request.destroy());
    };
    this.#server = createServer(serve).on("checkContinue", serve);
  }

  /** @param instead answers in the place of the store, or holds a request: true where nothing else is to be done */
  static async start(instead: (asked: Asked) => boolean | Promise<boolean> = () => false): Promise<PartStore> {
    const store = new PartStore(instead);
    store.#server.listen(0, "127.0.0.1");
    await once(store.#server, "listening");
    return store;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    const { searchParams } = new URL(url, "http://store");
    const part = searchParams.has("partNumber") ? Number(searchParams.get("partNumber")) : undefined;
    const attempt = this.asked.filter((before) => before.method === method && before.part === part).length + 1;
    const asked: Asked = { method, headers, part, attempt, received: 0, isOver: false, request, response };
    this.asked.push(asked);
    request.on("error", () => {});
    if (await this.#instead(asked)) return;
    if (headers.expect !== undefined) response.writeContinue();
    for await (const chunk of request) asked.received += chunk.length;
    asked.isOver = true;
    if (method === "POST") {
      const isBegun = searchParams.has("uploads");
      const name = isBegun ? "InitiateMultipartUploadResult" : "CompleteMultipartUploadResult";
      response.end(`<${name}>${isBegun ? "<UploadId>u</UploadId>" : '<ETag>"o"</ETag>'}</${name}>`);
    } else if (method === "PUT") response.setHeader("etag", `"${part ?? "o"}"`).end();
    else response.writeHead(method === "DELETE" ? 204 : 404).end();
  }
}
