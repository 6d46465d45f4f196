import type { FileHandle } from "node:fs/promises";
import { isSamePiece, type Piece, type UnprovenContent } from "@s3ec/envelope";
import { piecesOfFile } from "./file-pieces.js";
import type { KeptFolder } from "./kept-folder.js";
import { type DownloadIdentity, PieceJournal } from "./piece-journal.js";

/** What a resumed download begins with. */
export interface DownloadResumption {
  /** Bytes of plaintext that are there already, and are not fetched again. */
  readonly kept: number;
  /** Why what was there is of no use, as a sentence. Absent where nothing was there, or it is of use. */
  readonly anew?: string;
}

interface TakenUpDownload {
  readonly journal: PieceJournal;
  /** What the disk holds, in order, each piece hashed again. */
  readonly kept: readonly Piece[];
  readonly anew?: string | undefined;
}

export interface DownloadToTakeUp {
  readonly content: UnprovenContent;
  readonly identity: DownloadIdentity;
  /** Bytes at the beginning that have come anew. */
  readonly from: number;
  readonly signal: AbortSignal;
  /** Told what there is before it is looked at. */
  readonly onJournal: (journal: PieceJournal) => void;
}

/** Finds what an earlier download left, and looks at every byte of it: what the journal says was written may not be there. */
export async function takeUp(folder: KeptFolder, download: DownloadToTakeUp): Promise<TakenUpDownload> {
  const { content, identity, from, signal } = download;
  const { journal, pieces, anew = folder.anew } = await PieceJournal.takeUp(folder.journal, content, identity);
  download.onJournal(journal);
  const { plaintext } = folder;
  const { size } = await plaintext.stat();
  await plaintext.truncate(pieces.length === 0 ? 0 : Math.min(size, content.length));
  const kept: Piece[] = [];
  for (const piece of usable(pieces, content, from)) {
    signal.throwIfAborted();
    if (await isThere(piece, content, plaintext)) kept.push(piece);
  }
  return { journal, kept, anew };
}

/** Those that begin and end at blocks, in order and without two of one byte: of two that say the same, the later. */
function usable(pieces: readonly Piece[], content: UnprovenContent, from: number): Piece[] {
  const latest = new Map(pieces.map((piece) => [piece.offset, piece]));
  let end = from;
  return [...latest.values()]
    .sort((a, b) => a.offset - b.offset)
    .filter(({ offset, length }) => {
      const isInside = offset >= end && offset + length <= content.length;
      if (!isInside || offset % BLOCK !== 0 || !isOfWholeBlocks({ offset, length }, content)) return false;
      end = offset + length;
      return true;
    });
}

/** Whether another piece can begin behind it: not behind one that broke off within a block. */
export function isOfWholeBlocks(
  { offset, length }: Pick<Piece, "offset" | "length">,
  content: UnprovenContent,
): boolean {
  return length % BLOCK === 0 || offset + length === content.length;
}

const BLOCK = 16;
const READ_LENGTH = 256 * 1024;

async function isThere(piece: Piece, content: UnprovenContent, file: FileHandle): Promise<boolean> {
  const found = content.pieceAt(piece.offset);
  const buffer = Buffer.allocUnsafe(Math.min(piece.length, READ_LENGTH));
  for (let done = 0; done < piece.length; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, piece.length - done), piece.offset + done);
    if (bytesRead === 0) return false;
    found.takeBack(buffer.subarray(0, bytesRead));
    done += bytesRead;
  }
  return isSamePiece(piece, found.end());
}

/**
 * Proves a file of which another process wrote a part, by all of its bytes as they are on the disk now (G9).
 * @throws S3EncryptionError `decryption-failed` unless they are the object's
 */
export async function proveByRereading(content: UnprovenContent, file: FileHandle): Promise<void> {
  const reread = content.reread();
  for await (const piece of piecesOfFile(file)) reread.add(piece);
  reread.prove();
}
