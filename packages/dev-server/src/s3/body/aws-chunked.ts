import { createHash, type Hash } from "node:crypto";
import type { ChunkSignatures } from "../../http/chunk-signatures.js";
import { S3Error } from "../s3-error.js";

const longestLine = 1024;
const smallestChunk = 8192;
const trailerSignature = "x-amz-trailer-signature";

/** How an aws-chunked body is framed. */
export interface ChunkFraming {
  /** Whether lines may follow the last chunk. */
  readonly hasTrailers: boolean;
  /** What checks the signature of each chunk and of the trailers; without it none may be there. */
  readonly signatures?: ChunkSignatures;
}

/**
 * Decodes an aws-chunked body: `HEX-LENGTH[;chunk-signature=HEX] CRLF data CRLF` repeated, an empty chunk, trailer lines
 * and an empty line. Data is handed on as slices of what came in, never copied; anything else is refused.
 */
export class AwsChunkedDecoder {
  /** What the trailer lines say, without their signature. */
  readonly trailers: Map<string, string> = new Map();
  readonly #framing: ChunkFraming;
  #state: "size" | "data" | "data-end" | "trailer" | "done" = "size";
  #remaining = 0;
  #line = "";
  #isShort = false;
  #hash: Hash | undefined;
  #signature = "";
  #trailerSignature: string | undefined;

  constructor(framing: ChunkFraming) {
    this.#framing = framing;
  }

  /**
   * Takes the next bytes that came in.
   * @throws S3Error for framing or signatures that are wrong
   */
  push(input: Buffer, onData: (piece: Buffer) => void): void {
    let at = 0;
    while (at < input.length) {
      if (this.#state === "data") {
        const piece = input.subarray(at, at + this.#remaining);
        at += piece.length;
        this.#remaining -= piece.length;
        this.#hash?.update(piece);
        if (this.#remaining === 0) this.#state = "data-end";
        onData(piece);
      } else {
        at = this.#readLine(input, at);
      }
    }
  }

  /** @throws S3Error when the body is not at its end */
  end(): void {
    if (this.#state !== "done") throw new S3Error("IncompleteBody", "The body ended inside its aws-chunked framing.");
  }

  /** Collects up to the next line feed, which may be in a later piece of input, and acts on the line when it is whole. */
  #readLine(input: Buffer, at: number): number {
    if (this.#state === "done") throw malformed("data after its end");
    const feed = input.indexOf(10, at);
    const end = feed < 0 ? input.length : feed + 1;
    this.#line += input.toString("latin1", at, end);
    if (this.#line.length > longestLine) throw malformed("a line that is too long");
    if (feed >= 0) {
      if (!this.#line.endsWith("\r\n")) throw malformed("a line without CRLF");
      const line = this.#line.slice(0, -2);
      this.#line = "";
      this.#acceptLine(line);
    }
    return end;
  }

  #acceptLine(line: string): void {
    if (this.#state === "size") this.#beginChunk(line);
    else if (this.#state === "data-end") {
      if (line !== "") throw malformed("a chunk longer than its size");
      this.#endChunk();
      this.#state = "size";
    } else if (line === "") {
      this.#endTrailers();
      this.#state = "done";
    } else this.#acceptTrailer(line);
  }

  #beginChunk(line: string): void {
    const { signatures } = this.#framing;
    const [, size, signature] = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line) ?? [];
    if (size === undefined || (signature === undefined) !== (signatures === undefined))
      throw malformed(
        `a chunk that does not begin with its size in hexadecimal${signatures ? " and its signature" : " alone"}`,
      );
    this.#remaining = Number.parseInt(size, 16);
    if (signatures !== undefined) [this.#hash, this.#signature] = [createHash("sha256"), signature ?? ""];
    if (this.#remaining === 0) {
      this.#endChunk();
      this.#state = "trailer";
      return;
    }
    if (this.#isShort)
      throw new S3Error("InvalidChunkSizeError", "Only the last chunk is allowed to have a size less than 8192 bytes");
    this.#isShort = this.#remaining < smallestChunk;
    this.#state = "data";
  }

  #endChunk(): void {
    const { signatures } = this.#framing;
    if (signatures !== undefined && !signatures.acceptChunk(this.#hash?.digest("hex") ?? "", this.#signature))
      throw wrongSignature("a chunk");
  }

  #acceptTrailer(line: string): void {
    const [, sent = "", value] = /^([^:\s]+):(.*)$/.exec(line) ?? [];
    const name = sent.toLowerCase();
    if (value === undefined || !this.#framing.hasTrailers || this.trailers.has(name) || this.#trailerSignature)
      throw malformedTrailer();
    if (name === trailerSignature) this.#trailerSignature = value.trim();
    else this.trailers.set(name, value.trim());
  }

  #endTrailers(): void {
    const { hasTrailers, signatures } = this.#framing;
    const isSigned = hasTrailers && signatures !== undefined;
    if (isSigned !== (this.#trailerSignature !== undefined)) throw malformedTrailer();
    if (isSigned && !signatures.acceptTrailers(this.trailers, this.#trailerSignature ?? ""))
      throw wrongSignature("the trailers");
  }
}

function wrongSignature(what: string): S3Error {
  return new S3Error("SignatureDoesNotMatch", `The signature of ${what} does not match the one we calculated.`);
}

function malformedTrailer(): S3Error {
  return new S3Error("MalformedTrailerError", "The request contained trailing data that was not well-formed.");
}

function malformed(what: string): S3Error {
  return new S3Error("IncompleteBody", `The aws-chunked body holds ${what}.`);
}
