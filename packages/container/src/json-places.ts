/** Where a part stands, and those in it. */
interface Place {
  /** Of a member its name's, of an entry of a list its own. */
  readonly offset: number;
  readonly inner: Map<string, Place>;
}

/** A part that has begun and not ended. */
interface Open {
  readonly inner: Map<string, Place>;
  /** The number of its next entry; undefined for an object. */
  entry: number | undefined;
  /** The member whose name was read last, up to the comma behind it. */
  member: Place | undefined;
}

/** Where the parts of a JSON text stand. */
export interface JsonPlaces {
  /** The line and column of the part at a path, or of the nearest one around it that is there. */
  readonly locate: (path: readonly PropertyKey[]) => string | undefined;
  /** Where a name stands that its object has before, of which the parser would take the last. */
  readonly twice: string | undefined;
}

/** @param text JSON, as its parser has found: mistakes are not looked for */
export function jsonPlaces(text: string): JsonPlaces {
  const root: Place = { offset: 0, inner: new Map() };
  const open: Open[] = [];
  let twice: number | undefined;
  const tokens = /[{}[\],"]|[^\s{}[\],":]+/g;
  for (let token = tokens.exec(text); token !== null; token = tokens.exec(text)) {
    const [sign] = token;
    const offset = token.index;
    const around = open.at(-1);
    const end = sign === '"' ? endOfString(text, offset) : tokens.lastIndex;
    tokens.lastIndex = end;
    if (sign === "}" || sign === "]") open.pop();
    else if (sign === ",") {
      if (around === undefined) continue;
      if (around.entry !== undefined) around.entry += 1;
      around.member = undefined;
    } else if (around !== undefined && around.entry === undefined && around.member === undefined) {
      const name: string = JSON.parse(text.slice(offset, end));
      around.member = { offset, inner: new Map() };
      if (around.inner.has(name)) twice ??= offset;
      else around.inner.set(name, around.member);
    } else {
      const value = around === undefined ? root : (around.member ?? { offset, inner: new Map() });
      if (around?.entry !== undefined) around.inner.set(String(around.entry), value);
      if (sign === "{" || sign === "[") {
        open.push({ inner: value.inner, entry: sign === "[" ? 0 : undefined, member: undefined });
      }
    }
  }
  const locate: JsonPlaces["locate"] = (path) => {
    let nearest: Place | undefined;
    for (const part of path) {
      const place = (nearest ?? root).inner.get(String(part));
      if (place === undefined) break;
      nearest = place;
    }
    return nearest === undefined ? undefined : lineAndColumn(text, nearest.offset);
  };
  return { locate, twice: twice === undefined ? undefined : lineAndColumn(text, twice) };
}

function endOfString(text: string, start: number): number {
  let end = start + 1;
  while (text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
  return end + 1;
}

/** As editors count them, from 1 on. */
export function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
