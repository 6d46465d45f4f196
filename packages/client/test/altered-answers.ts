import { Readable } from "node:stream";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { type Fixture, TEST_KEYRING } from "./fixture.js";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
}

export interface Answer {
  statusCode: number;
  readonly headers: Record<string, string>;
  body: Readable;
}

interface Lie {
  readonly asked?: (asked: Asked) => void;
  /** Answers in the place of the store, which is not asked then. */
  readonly instead?: (asked: Asked) => Answer | undefined;
  /** What the client sees instead of what was answered. */
  readonly answered?: (answer: Answer, asked: Asked) => void | Promise<void>;
}

type Handle = (request: Asked, options?: object) => Promise<{ readonly response: Answer }>;

/** A client whose store lies: what it answers is altered before the client reads it. */
export function liedTo(fixture: Fixture, lie: Lie, options: Partial<S3EncryptionOptions> = {}): S3EncryptionClient {
  const settings = { ...fixture.server.clientConfig, maxAttempts: 1 };
  const honest = fixture.track(new S3EncryptionClient({ ...settings, encryption: { keyring: TEST_KEYRING } }));
  const handle = honest.config.requestHandler.handle.bind(honest.config.requestHandler) as unknown as Handle;
  const requestHandler = {
    metadata: { handlerProtocol: "http/1.1" },
    destroy: () => {},
    handle: async (request: Asked, handlerOptions?: object) => {
      lie.asked?.(request);
      const instead = lie.instead?.(request);
      if (instead !== undefined) return { response: instead };
      const result = await handle(request, handlerOptions);
      await lie.answered?.(result.response, request);
      return result;
    },
  } as unknown as NonNullable<S3ClientConfig["requestHandler"]>;
  const encryption = { keyring: TEST_KEYRING, ...options };
  return fixture.track(new S3EncryptionClient({ ...settings, requestHandler, encryption }));
}

/** What a portal on the way answers, whatever it is asked. */
export function page(text = "<html>portal</html>", headers: Record<string, string> = {}): Answer {
  return {
    statusCode: 200,
    headers: { "content-type": "text/html", ...headers },
    body: Readable.from([Buffer.from(text)]),
  };
}

/** Puts other bytes in the place of an answer's. */
export function replaceBody(answer: Answer, bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): void {
  answer.body.destroy();
  answer.body = Readable.from(bytes, { objectMode: false });
  Reflect.deleteProperty(answer.headers, "content-length");
}

/** Sends for as long as it is listened to, up to what would be noticed; counts what was taken. */
export class Endless {
  taken = 0;

  *[Symbol.iterator](): Generator<Uint8Array> {
    const piece = Buffer.alloc(64 * 1024, " ");
    while (this.taken < Endless.limit) {
      this.taken += piece.length;
      yield piece;
    }
  }

  static readonly limit: number = 64 * 1024 * 1024;
}
