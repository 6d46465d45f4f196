import { KeyObject } from "node:crypto";

/** Text that changes when anything inside the value does, bytes and keys included. */
export function snapshot(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (member instanceof KeyObject) return `key ${member.export().toString("base64")}`;
    if (member instanceof Uint8Array) return `bytes ${Buffer.from(member).toString("base64")}`;
    return member;
  });
}

/** Freezes everything inside that can be frozen; the contents of buffers cannot. */
export function deepFreeze(value: unknown): void {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || value instanceof KeyObject) return;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
}
