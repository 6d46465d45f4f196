import { stat } from "node:fs/promises";
import { S3EncryptionError } from "@s3ec/materials";
import { formatAddress } from "../object-address.js";
import { isFolderMarker, type ListedObject, objectsBelow } from "./listed-objects.js";
import { localTree, type TreeOptions, type UnreadPath } from "./local-tree.js";
import type { PathFilter } from "./path-filter.js";
import type { Place } from "./place.js";
import { sizeIfEncrypted } from "./same-content.js";
import type { TransferContext } from "./transfer-context.js";
import type { Found } from "./transfer-task.js";

/** One below the source. */
export type FoundBelow = (Found & { readonly object?: ListedObject }) | FoundUnread;

/** One that is there, and cannot be read. */
interface FoundUnread {
  readonly place: Place;
  readonly name: string;
  readonly unread: UnreadPath;
}

/**
 * What is below a place, in S3's order: the files of a folder, or the objects of a prefix but for instruction files, which go
 * with their objects, and for what stands for an empty folder.
 *
 * @throws S3EncryptionError `invalid-argument` for a folder that is none; what listing throws
 */
export async function* foundBelow(
  { plain, parameters, filesBeside, signal }: TransferContext,
  of: Place,
  isMeant: PathFilter,
  options: TreeOptions & { /** Whether objects are read as the sources of copies. */ readonly isCopied?: boolean },
): AsyncGenerator<FoundBelow> {
  if (of.kind === "stream") return;
  if (of.kind === "local") {
    await assertFolder(of.path);
    for await (const entry of localTree(of.path, options)) {
      const { name, path } = entry;
      const place = { kind: "local", path } as const;
      // Below a folder that cannot be read something may be meant.
      if ("unread" in entry) {
        if (entry.isFolder || isMeant(name)) yield { place, name, unread: entry };
      } else if (isMeant(name)) yield { place, name, size: entry.size, file: entry };
    }
    return;
  }
  const { Bucket } = of;
  const { RequestPayer } = parameters.getSource;
  const listing = objectsBelow(plain, of, { abortSignal: signal, ...(RequestPayer && { RequestPayer }) });
  const beside = filesBeside(Bucket, options.isCopied === true ? "getSource" : "get");
  for await (const object of beside.without(listing)) {
    if (isFolderMarker(object) || !isMeant(object.name)) continue;
    const { Key, name, Size = 0 } = object;
    yield {
      place: { kind: "s3", Bucket, Key },
      name,
      size: options.isCopied === true ? Size : sizeIfEncrypted(Size),
      object,
    };
  }
}

async function assertFolder(path: string): Promise<void> {
  // With a slash behind it, a file would only be said to be no folder.
  const there = await stat(path.replace(/(?<=.)[/\\]+$/, ""));
  if (!there.isDirectory())
    throw new S3EncryptionError("invalid-argument", `${path} is no folder: leave --recursive out.`);
}

/** Throws where nothing is there that a prefix could be of, so that nothing may be deleted on its word. */
export function assertExists(of: Place, isEmpty: boolean): void {
  if (of.kind !== "s3" || !isEmpty || of.Key === "") return;
  throw new S3EncryptionError(
    "invalid-argument",
    `There is nothing at ${formatAddress(of)}, so that nothing is deleted: is it spelled right?`,
  );
}
