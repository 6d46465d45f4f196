import { isKeyObject, isUint8Array } from "node:util/types";

/** Text that changes when anything inside the value does, bytes and keys included. */
export function snapshot(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (isKeyObject(member)) return `key ${member.export().toString("base64")}`;
    if (isUint8Array(member)) return `bytes ${Buffer.from(member).toString("base64")}`;
    return member;
  });
}

/** Freezes everything inside that can be frozen; the contents of buffers cannot. */
export function deepFreeze(value: unknown): void {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || isKeyObject(value)) return;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
}
