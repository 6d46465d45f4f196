import { createHash, randomBytes } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { type Piece, PieceSeal, type UnprovenContent } from "@s3ec/envelope";
import { writeAll } from "./write-all.js";

/** What an object is, and which of its versions. */
export interface DownloadIdentity {
  readonly object: readonly (string | undefined)[];
  readonly version: readonly (string | number | undefined)[];
}

const MAGIC = Buffer.from("s3ec download 1\n");
const NAME_LENGTH = 16;
/** Two digests. */
const IDENTITY_LENGTH = 64;
const HEADER_LENGTH = MAGIC.length + NAME_LENGTH + 12 + IDENTITY_LENGTH + 16;

/** What a journal holds of a download, or why that is of no use. */
export interface TakenUp {
  readonly journal: PieceJournal;
  /** As they were written, the latest last. */
  readonly pieces: readonly Piece[];
  /** Why what was there is of no use, where something was. */
  readonly anew?: string;
}

/** Which pieces of a download are on the disk, each in a record of its own that is only ever added (G9). */
export class PieceJournal {
  readonly #file: FileHandle;
  readonly #seal: PieceSeal;
  #records: number;

  private constructor(file: FileHandle, seal: PieceSeal, records: number) {
    this.#file = file;
    this.#seal = seal;
    this.#records = records;
  }

  /** Goes on with what a file holds of this very download, or begins it anew. */
  static async takeUp(file: FileHandle, content: UnprovenContent, identity: DownloadIdentity): Promise<TakenUp> {
    const stored = await readWhole(file);
    const digests = digestsOf(identity);
    const name = stored.subarray(MAGIC.length, MAGIC.length + NAME_LENGTH);
    const seal = content.sealFor(name);
    const anew = stored.length === 0 ? undefined : whyNot(stored, seal, digests);
    if (stored.length === 0 || anew !== undefined) {
      const journal = await PieceJournal.#begin(file, content, digests);
      return { journal, pieces: [], ...(anew === undefined ? {} : { anew }) };
    }
    // One that was cut short is written over.
    const records = Math.floor((stored.length - HEADER_LENGTH) / PieceSeal.pieceLength);
    const pieces = Array.from({ length: records }, (_, number) => {
      const start = HEADER_LENGTH + number * PieceSeal.pieceLength;
      return seal.openPiece(number, stored.subarray(start, start + PieceSeal.pieceLength)) ?? [];
    }).flat();
    return { journal: new PieceJournal(file, seal, records), pieces };
  }

  static async #begin(file: FileHandle, content: UnprovenContent, digests: Uint8Array): Promise<PieceJournal> {
    const name = randomBytes(NAME_LENGTH);
    const seal = content.sealFor(name);
    await file.truncate(0);
    await writeAll(file, [MAGIC, name, seal.sealIdentity(digests)], 0);
    return new PieceJournal(file, seal, 0);
  }

  /** Whether anything was written that another process could go on with. */
  get isEmpty(): boolean {
    return this.#records === 0;
  }

  /** To be called once the piece is written. */
  async add(piece: Piece): Promise<void> {
    const number = this.#records++;
    await writeAll(this.#file, [this.#seal.sealPiece(number, piece)], HEADER_LENGTH + number * PieceSeal.pieceLength);
  }
}

function whyNot(stored: Uint8Array, seal: PieceSeal, digests: Uint8Array): string | undefined {
  const header = Buffer.from(stored.subarray(0, HEADER_LENGTH));
  if (!header.subarray(0, MAGIC.length).equals(MAGIC)) return "It is of another release, or damaged.";
  const identity = seal.openIdentity(header.subarray(MAGIC.length + NAME_LENGTH));
  if (identity === undefined) return "It is of another object, was encrypted anew, or is damaged.";
  const half = IDENTITY_LENGTH / 2;
  if (!identity.subarray(0, half).equals(digests.subarray(0, half))) return "It is of another object.";
  return identity.equals(digests) ? undefined : "The object was replaced meanwhile.";
}

function digestsOf({ object, version }: DownloadIdentity): Buffer {
  const digests = [object, version].map((parts) => {
    const text = JSON.stringify(parts.map((part) => part ?? null));
    return createHash("sha256").update(text).digest();
  });
  return Buffer.concat(digests);
}

async function readWhole(file: FileHandle): Promise<Buffer> {
  const { size } = await file.stat();
  const bytes = Buffer.alloc(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await file.read(bytes, filled, size - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
