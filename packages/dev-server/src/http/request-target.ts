import type { IncomingMessage } from "node:http";

/** Headers by their names in lower case. */
export type Headers = Readonly<Record<string, string>>;

/** Where a request goes, percent-decoded once. `key` is empty for a bucket, `bucket` for the service itself. */
export interface RequestTarget {
  /** All of the path, decoded. */
  readonly path: string;
  /** Parameters without a value have an empty one. */
  readonly query: ReadonlyMap<string, string>;
  /** The first segment of the path. */
  readonly bucket: string;
  /** Everything after the first segment. */
  readonly key: string;
}

/** A URL that cannot be read; `code` is S3's name for what is wrong with it. */
export class TargetError extends Error {
  /** S3's name for what is wrong. */
  readonly code: "InvalidURI" | "InvalidArgument";

  constructor(code: TargetError["code"], message: string) {
    super(message);
    this.name = "TargetError";
    this.code = code;
  }
}

/** @throws TargetError when an escape is not UTF-8, or a parameter stands twice in the query. */
export function parseTarget(url: string): RequestTarget {
  const mark = url.indexOf("?");
  const path = decode(mark < 0 ? url : url.slice(0, mark));
  const query = new Map<string, string>();
  for (const pair of mark < 0 ? [] : url.slice(mark + 1).split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    if (query.has(name)) throw new TargetError("InvalidArgument", `The query parameter ${name} was sent twice.`);
    query.set(name, equals < 0 ? "" : decode(pair.slice(equals + 1)));
  }
  const slash = path.indexOf("/", 1);
  const bucket = slash < 0 ? path.slice(1) : path.slice(1, slash);
  return { path, query, bucket, key: slash < 0 ? "" : path.slice(slash + 1) };
}

/** Header names in lower case; a header sent twice is joined by a bare comma, as it is signed. */
export function flatHeaders(request: IncomingMessage): Headers {
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(request.headersDistinct)) headers[name] = (values ?? []).join(",");
  return headers;
}

/** RFC 3986 escaping, the only one that signatures, copy sources and `encoding-type=url` agree on. */
export function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** @throws TargetError when the escapes are not UTF-8 */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TargetError("InvalidURI", "Couldn't parse the specified URI.");
  }
}
