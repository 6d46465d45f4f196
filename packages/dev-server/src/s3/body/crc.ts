import { crc32 } from "node:zlib";

/** A reflected CRC that starts from and is finished by all ones, as all three of S3's are. */
export interface Crc {
  readonly bits: 32 | 64;
  /** The polynomial, reflected. */
  readonly polynomial: bigint;
  start(): CrcState;
}

/** A checksum in the making. */
export interface CrcState {
  update(data: Uint8Array): void;
  digest(): Buffer;
}

/** CRC32, as in gzip. */
export const crc32Ieee: Crc = {
  bits: 32,
  polynomial: 0xedb88320n,
  start() {
    let value = 0;
    return {
      update(data) {
        value = crc32(data, value);
      },
      digest: () => bigEndian(BigInt(value), 32),
    };
  },
};

/** CRC32C, of Castagnoli. */
export const crc32c: Crc = {
  bits: 32,
  polynomial: 0x82f63b78n,
  start() {
    const { low: table } = slicingTables(crc32c);
    let crc = 0xffffffff;
    return {
      update(data) {
        const whole = data.length - (data.length % 8);
        for (let i = 0; i < whole; i += 8) {
          const first = crc ^ word(data, i);
          const second = word(data, i + 4);
          crc = fold(table, first, second);
        }
        for (let i = whole; i < data.length; i++) crc = (at(table, (crc ^ at(data, i)) & 255) ^ (crc >>> 8)) >>> 0;
      },
      digest: () => bigEndian(BigInt(~crc >>> 0), 32),
    };
  },
};

/** CRC64NVME. */
export const crc64Nvme: Crc = {
  bits: 64,
  polynomial: 0x9a6c9329ac4bc9b5n,
  start() {
    const { low: lowTable, high: highTable } = slicingTables(crc64Nvme);
    let low = 0xffffffff;
    let high = 0xffffffff;
    return {
      update(data) {
        const whole = data.length - (data.length % 8);
        for (let i = 0; i < whole; i += 8) {
          const first = low ^ word(data, i);
          const second = high ^ word(data, i + 4);
          low = fold(lowTable, first, second);
          high = fold(highTable, first, second);
        }
        for (let i = whole; i < data.length; i++) {
          const index = (low ^ at(data, i)) & 255;
          low = (at(lowTable, index) ^ ((low >>> 8) | (high << 24))) >>> 0;
          high = (at(highTable, index) ^ (high >>> 8)) >>> 0;
        }
      },
      digest: () => bigEndian((BigInt(~high >>> 0) << 32n) | BigInt(~low >>> 0), 64),
    };
  },
};

/** The CRC of two pieces joined, from the CRC of each and the length of the second: how S3 checks a whole multipart object. */
export function joinCrcs(crc: Crc, first: Buffer, second: Buffer, secondLength: number): Buffer {
  const shifted = multiply(crc, powerOfX(crc, 8n * BigInt(secondLength)), fromBytes(first));
  return bigEndian(shifted ^ fromBytes(second), crc.bits);
}

/** The product modulo the polynomial; in reflected form the highest bit is the constant 1. */
function multiply({ bits, polynomial }: Crc, a: bigint, b: bigint): bigint {
  let product = 0n;
  for (let bit = 1n << BigInt(bits - 1); bit > 0n; bit >>= 1n) {
    if (a & bit) product ^= b;
    b = b & 1n ? (b >> 1n) ^ polynomial : b >> 1n;
  }
  return product;
}

const powers = new Map<string, bigint>();

function powerOfX(crc: Crc, exponent: bigint): bigint {
  const name = `${crc.polynomial}^${exponent}`;
  const known = powers.get(name);
  if (known !== undefined) return known;
  let result = 1n << BigInt(crc.bits - 1);
  let square = 1n << BigInt(crc.bits - 2);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = multiply(crc, result, square);
    square = multiply(crc, square, square);
  }
  // Nearly all parts of an upload are equally long, so a handful of lengths is all there is to remember.
  if (powers.size >= 64) powers.clear();
  powers.set(name, result);
  return result;
}

interface SlicingTables {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

const tables = new Map<Crc, SlicingTables>();

/** Eight tables of 256 entries: table n advances a byte over n more bytes, so that eight bytes go in one step. */
function slicingTables(crc: Crc): SlicingTables {
  const known = tables.get(crc);
  if (known !== undefined) return known;
  const entries: bigint[] = [];
  for (let i = 0; i < 8 * 256; i++) {
    let value = i < 256 ? BigInt(i) : (entries[i - 256] ?? 0n);
    if (i < 256) for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ crc.polynomial : value >> 1n;
    else value = (value >> 8n) ^ (entries[Number(value & 255n)] ?? 0n);
    entries.push(value);
  }
  const made = {
    low: Uint32Array.from(entries, (entry) => Number(entry & 0xffffffffn)),
    high: Uint32Array.from(entries, (entry) => Number(entry >> 32n)),
  };
  tables.set(crc, made);
  return made;
}

function fold(table: Uint32Array, first: number, second: number): number {
  return (
    (at(table, 0x700 + (first & 255)) ^
      at(table, 0x600 + ((first >>> 8) & 255)) ^
      at(table, 0x500 + ((first >>> 16) & 255)) ^
      at(table, 0x400 + (first >>> 24)) ^
      at(table, 0x300 + (second & 255)) ^
      at(table, 0x200 + ((second >>> 8) & 255)) ^
      at(table, 0x100 + ((second >>> 16) & 255)) ^
      at(table, second >>> 24)) >>>
    0
  );
}

function word(data: Uint8Array, i: number): number {
  return at(data, i) | (at(data, i + 1) << 8) | (at(data, i + 2) << 16) | (at(data, i + 3) << 24);
}

function at(array: Uint8Array | Uint32Array, index: number): number {
  return array[index] ?? 0;
}

function fromBytes(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString("hex")}`);
}

function bigEndian(value: bigint, bits: number): Buffer {
  return Buffer.from(value.toString(16).padStart(bits / 4, "0"), "hex");
}
