import type { StoredObject } from "../sources/stored-object.js";
import type { Auditing } from "./audit-target.js";
import { ownerOf } from "./file-owner.js";
import { wrapsBeside } from "./further-wraps.js";
import { problemOf } from "./problem.js";

/**
 * Why what says nothing of itself is not to be told as plain, in a sentence: a file beside it holds a wrapped key, under a suffix that
 * nobody named, or may. Undefined where none does; a file of another object whose key begins with this one's is none.
 */
export async function whyNotPlain(auditing: Auditing, stored: StoredObject): Promise<string | undefined> {
  // Which files were beside an older version, nothing tells.
  if (stored.isLatest === false) return undefined;
  const { client, Bucket, instructionFileSuffixes, request } = auditing;
  const { Key } = stored;
  const problems: string[] = [];
  const target = { auditing: { ...auditing, areFilesListed: false }, stored, address: { Bucket, Key }, problems };
  for (const { place } of await wrapsBeside(target)) {
    if (place.in !== "instruction-file") continue;
    const file = { Bucket, Key: `${Key}${place.suffix}` };
    try {
      const owner = await ownerOf(client, file, instructionFileSuffixes, request);
      if (owner?.key !== Key) continue;
      return `It says nothing of itself, and a file beside it holds a wrapped key: name its suffix, ${JSON.stringify(place.suffix)}.`;
    } catch (error) {
      problems.push(`Of the files beside it: ${problemOf(error, "They")}`);
    }
  }
  return problems.length === 0 ? undefined : problems.join(" ");
}
