import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { S3Format, type S3FormatOptions } from "@s3ec/format-s3";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import {
  type CommitmentPolicy,
  DefaultMaterialsManager,
  type Keyring,
  type ObjectToOpen,
  type OpenedObject,
  type SealedObject,
  stringMap,
} from "@s3ec/materials";
import { collect, plaintextOf } from "@s3ec/test-support";

export const CONTENT: Buffer = plaintextOf(1000);

/** A keyring of its own key, that counts what it is asked to unwrap. */
export class Counting extends RawAesKeyring {
  unwraps = 0;

  constructor() {
    super({ wrappingKey: randomBytes(32) });
  }

  override async onDecrypt(...args: Parameters<Keyring["onDecrypt"]>): ReturnType<Keyring["onDecrypt"]> {
    this.unwraps += 1;
    return await super.onDecrypt(...args);
  }
}

const WRITING = { V2: "FORBID_ENCRYPT_ALLOW_DECRYPT", V3: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" } as const;

export type Metadata = Readonly<Record<string, string>>;

export interface Request {
  readonly materialsManager: DefaultMaterialsManager;
  readonly commitmentPolicy: CommitmentPolicy;
  readonly encryptionContext: ReturnType<typeof stringMap>;
}

/** What a client with this keyring asks of a format. */
export function requestOf(keyring: Keyring, format: "V2" | "V3" = "V3"): Request {
  return {
    materialsManager: new DefaultMaterialsManager(keyring),
    commitmentPolicy: WRITING[format],
    encryptionContext: stringMap([]),
  };
}

export async function sealed(
  keyring: Keyring,
  options: S3FormatOptions = {},
  format: "V2" | "V3" = "V3",
): Promise<SealedObject & { readonly body: Buffer }> {
  const request = { ...requestOf(keyring, format), plaintext: Readable.from([CONTENT]) };
  const object = await new S3Format(options).seal({ ...request, contentLength: CONTENT.length });
  return { ...object, body: await collect(object.ciphertext) };
}

/** Opens with what lies beside the object, by suffix. */
export function opened(
  keyring: Keyring,
  metadata: Metadata,
  options: S3FormatOptions = {},
  more: Partial<ObjectToOpen> & { readonly files?: Metadata } = {},
): Promise<OpenedObject> {
  const { files = {}, ...object } = more;
  const siblings = { read: async (suffix: string) => files[suffix] };
  return new S3Format(options).open({ ...requestOf(keyring), metadata, siblings, ...object });
}

export async function plaintextFrom(object: OpenedObject, body: Uint8Array): Promise<Buffer> {
  return await collect(object.decrypt(Readable.from([body])));
}
