import {
  INSTRUCTION_FILE_MARKER,
  IV,
  MESSAGE_ID,
  OBJECT_MARK,
  WRAPPED_KEY_V1,
  WRAPPED_KEY_V2,
  WRAPPED_KEY_V3,
} from "./metadata-keys.js";

/** User metadata of an object, by name in any letter case and without `x-amz-meta-`. */
export type Metadata = Readonly<Record<string, string>>;

/**
 * What tells an object from every other one, from its user metadata alone: V3's message id, the IV of V1 and V2, or, where
 * a V2 envelope lies wholly in a file, the random id that we leave on the object. Never an ETag, which a new wrap or another
 * number of parts changes. Undefined where the writer left nothing. A hint: whoever can write to the bucket can set it.
 */
export function objectMark(metadata: Metadata): string | undefined {
  return valueNamed(metadata, MESSAGE_ID) ?? valueNamed(metadata, IV) ?? valueNamed(metadata, OBJECT_MARK);
}

/** The object that an instruction file says it is of, from its user metadata; undefined for files of other writers. */
export function fileMark(metadata: Metadata): string | undefined {
  return valueNamed(metadata, OBJECT_MARK);
}

/** The user metadata of a file that is known to be of the object with this mark. */
export function markedFile(metadata: Metadata, mark: string): Record<string, string> {
  return { ...metadata, [OBJECT_MARK]: mark };
}

/** The user metadata of a new instruction file: what marks it as one, and the object's mark where that has one. */
export function newFile(mark: string | undefined): Record<string, string> {
  return { [INSTRUCTION_FILE_MARKER]: "", ...(mark === undefined ? {} : { [OBJECT_MARK]: mark }) };
}

/** Whether an object's user metadata holds a wrapped key, so that no instruction file is needed to read it. */
export function holdsWrappedKey(metadata: Metadata): boolean {
  return [WRAPPED_KEY_V1, WRAPPED_KEY_V2, WRAPPED_KEY_V3].some((name) => valueNamed(metadata, name) !== undefined);
}

/** Whether a name of user metadata is one that we write by ourselves (S17). */
export function isReservedMetadata(name: string): boolean {
  const lower = name.toLowerCase();
  return lower.startsWith("x-amz-") || lower === OBJECT_MARK;
}

/** Stores differ in the letter case that they keep (H35); an empty value counts as none (H3). */
function valueNamed(metadata: Metadata, name: string): string | undefined {
  const found = Object.entries(metadata).find(([key, value]) => key.toLowerCase() === name && value !== "");
  return found?.[1];
}
