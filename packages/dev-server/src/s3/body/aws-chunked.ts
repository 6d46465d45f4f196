import { S3Error } from "../s3-error.js";

const longestLine = 1024;

/**
 * Decodes a `STREAMING-UNSIGNED-PAYLOAD-TRAILER` body: `HEX-LENGTH CRLF data CRLF` repeated, an empty chunk, trailer
 * lines and an empty line. Data is handed on as slices of what came in, never copied; anything else is refused.
 */
export class AwsChunkedDecoder {
  readonly trailers: Map<string, string> = new Map();
  #state: "size" | "data" | "data-end" | "trailer" | "done" = "size";
  #remaining = 0;
  #line = "";

  push(input: Buffer, onData: (piece: Buffer) => void): void {
    let at = 0;
    while (at < input.length) {
      if (this.#state === "data") {
        const piece = input.subarray(at, at + this.#remaining);
        at += piece.length;
        this.#remaining -= piece.length;
        if (this.#remaining === 0) this.#state = "data-end";
        onData(piece);
      } else {
        at = this.#readLine(input, at);
      }
    }
  }

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
    if (this.#state === "size") {
      if (!/^[0-9a-fA-F]{1,12}$/.test(line)) throw malformed("a chunk size that is not a hexadecimal number");
      this.#remaining = Number.parseInt(line, 16);
      this.#state = this.#remaining === 0 ? "trailer" : "data";
    } else if (this.#state === "data-end") {
      if (line !== "") throw malformed("a chunk longer than its size");
      this.#state = "size";
    } else if (line === "") {
      this.#state = "done";
    } else {
      const [, name, value] = /^([^:\s]+):(.*)$/.exec(line) ?? [];
      if (name === undefined || value === undefined || this.trailers.has(name.toLowerCase()))
        throw new S3Error("MalformedTrailerError", "The request contained trailing data that was not well-formed.");
      this.trailers.set(name.toLowerCase(), value.trim());
    }
  }
}

function malformed(what: string): S3Error {
  return new S3Error("IncompleteBody", `The aws-chunked body holds ${what}.`);
}
