import type { AddressInfo } from "node:net";
import { createConnection, createServer, type Server, type Socket } from "node:net";

/** Stands between clients and a server, and keeps every byte that the clients send. */
export class RecordingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #received = new Map<Socket, Buffer[]>();
  #earlyAnswer: string | undefined;

  private constructor(target: URL) {
    this.#server = createServer((client) => this.#serve(client, Number(target.port), target.hostname));
  }

  static async start(endpoint: string): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(new URL(endpoint));
    await new Promise<void>((listening) => proxy.#server.listen(0, "127.0.0.1", listening));
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Everything that was sent since it was asked for last, connection by connection: what one still sends may come after another's first bytes. */
  take(): Buffer {
    const received = Buffer.concat([...this.#received.values()].flat());
    this.#received.clear();
    return received;
  }

  /** The next connection is answered at its first bytes, whatever they are, and its rest is kept as well. */
  answerEarly(status: string): void {
    this.#earlyAnswer = `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }

  #serve(client: Socket, port: number, host: string): void {
    const answer = this.#earlyAnswer;
    this.#earlyAnswer = undefined;
    this.#track(client);
    client.on("data", (bytes) => {
      const sent = this.#received.get(client) ?? [];
      sent.push(bytes);
      this.#received.set(client, sent);
    });
    if (answer !== undefined) {
      client.once("data", () => client.write(answer));
      return;
    }
    const server = this.#track(createConnection(port, host));
    client.pipe(server).pipe(client);
    client.on("close", () => server.destroy());
    server.on("close", () => client.destroy());
  }

  #track(socket: Socket): Socket {
    this.#sockets.add(socket);
    // Cut connections are what half of the tests are about.
    socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
    return socket;
  }
}
