import { COMMITMENT, GCM_IV, MESSAGE_ID } from "./known-answers.js";

export type Metadata = Readonly<Record<string, string>>;

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
/** A wrapped key, whose bytes do not matter to classification; its length does. */
export const wrapped = (length: number): string => base64(Buffer.alloc(length, 0x5a));

export const V1: Metadata = {
  "x-amz-key": wrapped(48),
  "x-amz-iv": base64(Buffer.alloc(16, 1)),
  "x-amz-matdesc": "{}",
};

export const V2: Metadata = {
  "x-amz-key-v2": wrapped(60),
  "x-amz-iv": base64(GCM_IV),
  "x-amz-cek-alg": "AES/GCM/NoPadding",
  "x-amz-tag-len": "128",
  "x-amz-wrap-alg": "AES/GCM",
  "x-amz-matdesc": '{"owner":"peers"}',
};

export const V3_ON_OBJECT: Metadata = {
  "x-amz-c": "115",
  "x-amz-d": base64(COMMITMENT),
  "x-amz-i": base64(MESSAGE_ID),
};

export const V3_WITH_KEY: Metadata = { "x-amz-3": wrapped(60), "x-amz-w": "02" };

export const V3: Metadata = { ...V3_ON_OBJECT, ...V3_WITH_KEY };

/** The same fields without the named ones. */
export function without(metadata: Metadata, ...names: string[]): Metadata {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !names.includes(name)));
}
