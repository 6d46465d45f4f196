import type { MessageFailure } from "@s3ec/test-vectors";
import type { Field, FrameLayout, MessageLayout } from "./message-layout.js";

/** One deliberate change of a message, and the first check that must fail for it. */
export interface Damage {
  readonly name: string;
  readonly failure: MessageFailure;
  readonly why: string;
  readonly apply: (bytes: Buffer, layout: MessageLayout) => Buffer;
}

/** Where a damage applies: the message has three frames, of which the last is the short final one. */
type Place = (layout: MessageLayout) => Field | undefined;

/** Flips the lowest bit of a field's last byte, or of another. */
export function flip(name: string, failure: MessageFailure, place: Place, why?: string): Damage {
  return {
    name: `${name}-flipped`,
    failure,
    why: why ?? `a bit of the ${name.replaceAll("-", " ")} is flipped`,
    apply: (bytes, layout) => {
      const { end } = required(place(layout));
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8(damaged.readUInt8(end - 1) ^ 1, end - 1);
      return damaged;
    },
  };
}

/** Puts a number into a field of one to four bytes. */
export function renumber(name: string, failure: MessageFailure, place: Place, value: number, why: string): Damage {
  return {
    name,
    failure,
    why,
    apply: (bytes, layout) => {
      const { start, end } = required(place(layout));
      const damaged = Buffer.from(bytes);
      damaged.writeUIntBE(value, start, end - start);
      return damaged;
    },
  };
}

/** Puts other bytes in the place of some. */
export function splice(
  name: string,
  failure: MessageFailure,
  why: string,
  change: (bytes: Buffer, layout: MessageLayout) => readonly [Field, ...Buffer[]],
): Damage {
  return {
    name,
    failure,
    why,
    apply: (bytes, layout) => {
      const [{ start, end }, ...parts] = change(bytes, layout);
      return Buffer.concat([bytes.subarray(0, start), ...parts, bytes.subarray(end)]);
    },
  };
}

/** Ends the message within or after a field. */
export function cut(where: string, place: (layout: MessageLayout) => number): Damage {
  return {
    name: `cut-${where.replaceAll(" ", "-")}`,
    failure: "truncated",
    why: `the message ends ${where}`,
    apply: (bytes, layout) => Buffer.from(bytes.subarray(0, place(layout))),
  };
}

/** The bytes of a field. */
export function bytesOf(bytes: Buffer, { start, end }: Field): Buffer {
  return bytes.subarray(start, end);
}

/** The frame at this index; a negative one counts from the end. */
export function frameAt({ frames }: MessageLayout, index: number): FrameLayout {
  return required(frames.at(index));
}

/** The wrapped key of a message that has one. */
export function wrappedKeyOf({ wrappedKeys }: MessageLayout): MessageLayout["wrappedKeys"][number] {
  return required(wrappedKeys[0]);
}

/** A number of four bytes, as frames hold them. */
export function be32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The value, or an error when the message is not one that the damage is for. */
export function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("The message has no such field.");
  return value;
}
