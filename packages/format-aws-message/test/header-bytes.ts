/** The fields of a header, each of which a test may set to whatever it likes. */
export interface HeaderFields {
  readonly version?: number;
  readonly type?: number;
  readonly suiteId?: number;
  readonly messageId?: Uint8Array;
  /** Behind its length. */
  readonly context?: Uint8Array;
  readonly contextLength?: number;
  readonly dataKeys?: readonly (readonly [id: string | Uint8Array, info: string, key: string])[];
  readonly dataKeyCount?: number;
  readonly contentType?: number;
  readonly reserved?: number;
  readonly ivLength?: number;
  readonly frameLength?: number;
  readonly commitment?: Uint8Array;
  readonly iv?: Uint8Array;
  readonly tag?: Uint8Array;
}

/** A header of version 2, or of version 1 where that is asked for (AWS Encryption SDK, message header). */
export function headerBytes(fields: HeaderFields = {}): Buffer {
  const version = fields.version ?? 2;
  const old = version === 1;
  const context = fields.context ?? new Uint8Array(0);
  const dataKeys = fields.dataKeys ?? [["tests", "information", "wrapped"]];
  return Buffer.concat([
    uint(1, version),
    ...(old ? [uint(1, fields.type ?? 0x80)] : []),
    uint(2, fields.suiteId ?? (old ? 0x0178 : 0x0478)),
    fields.messageId ?? Buffer.alloc(old ? 16 : 32, 1),
    uint(2, fields.contextLength ?? context.length),
    context,
    uint(2, fields.dataKeyCount ?? dataKeys.length),
    ...dataKeys.flatMap((key) => key.map((part) => sized(part))),
    uint(1, fields.contentType ?? 2),
    ...(old ? [uint(4, fields.reserved ?? 0), uint(1, fields.ivLength ?? 12)] : []),
    uint(4, fields.frameLength ?? 4096),
    fields.commitment ?? Buffer.alloc(old ? 0 : 32, 2),
    fields.iv ?? Buffer.alloc(old ? 12 : 0, 3),
    fields.tag ?? Buffer.alloc(16, 4),
  ]);
}

/** A context's count and entries, as they stand behind its length. */
export function contextBytes(
  entries: readonly (readonly [name: string | Uint8Array, value: string | Uint8Array])[],
  count: number = entries.length,
): Buffer {
  return Buffer.concat([uint(2, count), ...entries.flatMap((entry) => entry.map((part) => sized(part)))]);
}

function sized(part: string | Uint8Array): Buffer {
  const bytes = Buffer.from(part);
  return Buffer.concat([uint(2, bytes.length), bytes]);
}

export function uint(length: number, value: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
}
