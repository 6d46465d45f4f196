import type { Random } from "./random.js";

/** The same bytes with one to three damages: flipped, cut, doubled, inserted, removed, or spliced with the donor's. */
export function mutateBytes(random: Random, bytes: Uint8Array, donor: Uint8Array): Buffer {
  let mutated: Buffer = Buffer.from(bytes);
  for (let damages = 1 + random.below(3); damages > 0; damages--) mutated = damage(random, mutated, donor);
  return mutated;
}

function damage(random: Random, bytes: Buffer, donor: Uint8Array): Buffer {
  const at = random.below(bytes.length + 1);
  const to = at + random.below(bytes.length - at + 1);
  const [before, behind] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (random.below(8)) {
    case 0:
      return before;
    case 1:
      return Buffer.concat([before, random.bytes(1 + random.below(40)), behind]);
    case 2:
      return Buffer.concat([before, bytes.subarray(to)]);
    case 3:
      return Buffer.concat([before, bytes.subarray(at, to), behind]);
    case 4:
      return Buffer.concat([before, Buffer.from(donor).subarray(at)]);
    case 5:
      // Lengths and counts are read from one to four bytes.
      return Buffer.concat([before, Buffer.alloc(1 + random.below(4), random.pick([0x00, 0xff])), behind.subarray(4)]);
    default: {
      const flipped = Buffer.from(bytes);
      const index = Math.min(at, flipped.length - 1);
      if (index >= 0) flipped[index] = (flipped[index] ?? 0) ^ (1 << random.below(8));
      return flipped;
    }
  }
}

const PIECES = [
  "",
  " ",
  "\u0000",
  "\ufeff",
  "é漢",
  "\u00c3\u00a9",
  "=?UTF-8?B?eA==?=",
  "=?utf-8?q?=C3=83=C2=A9?=",
  "=?UTF-8?B?/w==?=",
  "{}",
  "[]",
  "null",
  "0",
  "115",
  "128",
  "116",
  "02",
  "12",
  "22",
  "11",
  "kms",
  "kms+context",
  "AES/GCM",
  "AESWrap",
  "RSA-OAEP-SHA1",
  "AES/GCM/NoPadding",
  "AES/CBC/PKCS5Padding",
  "__proto__",
  "constructor",
  "toString",
  '{"__proto__":"x"}',
  '{"a":"1","a":"2"}',
  '{"version":2}',
  '{"kms_cmk_id":"x"}',
  '{"aws:x-amz-cek-alg":"AES/GCM/NoPadding"}',
  '{"aws:x-amz-cek-alg":"115"}',
] as const;

/** The text damaged as bytes are, or replaced by something that a reader gives a meaning. */
export function mutateText(random: Random, text: string, donor = ""): string {
  if (random.oneIn(3)) return random.pick(PIECES);
  if (random.oneIn(4)) return `${text}${random.pick(PIECES)}`;
  return mutateBytes(random, Buffer.from(text), Buffer.from(donor)).toString(random.oneIn(2) ? "utf8" : "latin1");
}

const NAMES = [
  "x-amz-key",
  "x-amz-key-v2",
  "x-amz-iv",
  "x-amz-matdesc",
  "x-amz-wrap-alg",
  "x-amz-cek-alg",
  "x-amz-tag-len",
  "x-amz-unencrypted-content-length",
  "x-amz-c",
  "x-amz-3",
  "x-amz-w",
  "x-amz-d",
  "x-amz-i",
  "x-amz-m",
  "x-amz-t",
  "EncryptedEnvelopeKey",
  "IV",
  "__proto__",
] as const;

type Fields = Readonly<Record<string, string>>;

/** Fields with one to three of them removed, renamed, damaged, added, doubled in another case, or taken from the donor. */
export function mutateFields(random: Random, fields: Fields, donor: Fields): Record<string, string> {
  const mutated = new Map(Object.entries(fields));
  for (let damages = 1 + random.below(3); damages > 0; damages--) {
    const names = [...mutated.keys()];
    const name = names.length > 0 && !random.oneIn(5) ? random.pick(names) : random.pick(NAMES);
    const value = mutated.get(name) ?? "";
    switch (random.below(6)) {
      case 0:
        mutated.delete(name);
        break;
      case 1:
        mutated.delete(name);
        mutated.set(random.pick(NAMES), value);
        break;
      case 2:
        mutated.set(name.toUpperCase(), random.oneIn(2) ? value : mutateText(random, value));
        break;
      case 3:
        for (const [other, theirs] of Object.entries(donor)) if (random.oneIn(2)) mutated.set(other, theirs);
        break;
      case 4: {
        const theirs = own(donor, name);
        if (theirs !== undefined) mutated.set(name, theirs);
        break;
      }
      default:
        mutated.set(name, mutateText(random, value, own(donor, name)));
    }
  }
  return Object.fromEntries(mutated);
}

/** `__proto__` is among the names. */
function own(fields: Fields, name: string): string | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

const VALUES = ["0", "128", "128.0", "1e3", "-1", "null", "true", "{}", "[]", '""', '"x"', "9007199254740993"] as const;

/** The text of an instruction file, damaged as JSON or as text. */
export function mutateJson(random: Random, text: string, donor: Fields): string {
  const fields = fieldsOf(text);
  if (fields === undefined || random.oneIn(4)) return mutateText(random, text, JSON.stringify(donor));
  const members = Object.entries(mutateFields(random, fields, donor)).map(([name, value]) => [
    JSON.stringify(name),
    random.oneIn(12) ? random.pick(VALUES) : JSON.stringify(value),
  ]);
  if (members.length > 0 && random.oneIn(6)) members.push([...random.pick(members)]);
  const [space, mark] = [random.pick(["", "", " ", "\r\n\t"]), random.oneIn(10) ? "\ufeff" : ""];
  const json = `${mark}{${members.map((member) => member.join(`${space}:${space}`)).join(`,${space}`)}}`;
  return random.oneIn(12) ? `[${json}]` : json;
}

/** The members of a flat JSON object of strings; undefined for any other text. */
export function fieldsOf(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, String(member)]));
  } catch {
    return undefined;
  }
}
