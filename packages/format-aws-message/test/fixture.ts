import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { AwsMessageFormat, type AwsMessageFormatOptions } from "@s3ec/format-aws-message";
import {
  type CommitmentPolicy,
  createDataKey,
  type DecryptionMaterials,
  DefaultMaterialsManager,
  decryptionFailed,
  type EncryptedDataKey,
  type EncryptionMaterials,
  importDataKey,
  type Keyring,
  keyProvider,
  lendDataKey,
  type MaterialsManager,
  type OpenedObject,
  type StringMap,
  serializeEncryptionContext,
  stringMap,
  type WrapAlgorithm,
  withDataKey,
  withEncryptedDataKey,
} from "@s3ec/materials";
import { collect } from "@s3ec/test-support";

/** Made for tests; it protects nothing. */
export const WRAPPING_KEY: Uint8Array = Buffer.alloc(32, 7);
export const NAMESPACE = "tests";
export const KEY_NAME = "key-1";
export const CONTEXT: StringMap = stringMap([
  ["purpose", "tests"],
  ["zürich", "\u{10400}"],
]);
const IV = 12;
const TAG = 16;

/** Wraps as the raw AES keyring of the AWS Encryption SDK, and counts how often it is asked. */
export class RawKeyring implements Keyring {
  readonly wrapAlgorithms: readonly WrapAlgorithm[] = [keyProvider(NAMESPACE)];
  /** Calls of `onDecrypt`. */
  unwraps = 0;
  readonly #copies: number;

  /** @param copies wrapped keys that it adds to a message */
  constructor(copies = 1) {
    this.#copies = copies;
  }

  async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
    const dataKey = materials.dataKey ?? createDataKey(materials.suite);
    let result = withDataKey(materials, dataKey);
    for (let copy = 0; copy < this.#copies; copy++) {
      result = withEncryptedDataKey(result, await wrapped(dataKey, materials.encryptionContext));
    }
    return result;
  }

  async onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
  ): Promise<DecryptionMaterials | null> {
    this.unwraps++;
    const mine = encryptedDataKeys.find(({ wrapAlgorithm }) => wrapAlgorithm.name === NAMESPACE);
    if (mine === undefined) return null;
    const { providerInfo, ciphertext } = mine;
    if (providerInfo?.length !== KEY_NAME.length + 8 + IV || ciphertext.length <= TAG) throw decryptionFailed();
    const decipher = createDecipheriv("aes-256-gcm", WRAPPING_KEY, providerInfo.subarray(-IV), { authTagLength: TAG });
    decipher.setAAD(serializeEncryptionContext(materials.encryptionContext));
    decipher.setAuthTag(ciphertext.subarray(-TAG));
    const dataKey = decipher.update(ciphertext.subarray(0, -TAG));
    try {
      decipher.final();
    } catch {
      throw decryptionFailed();
    }
    return withDataKey(materials, importDataKey(dataKey));
  }
}

/** A data key wrapped by `RawKeyring`. */
export async function wrapped(
  dataKey: ReturnType<typeof createDataKey>,
  context: StringMap,
): Promise<EncryptedDataKey & { readonly providerInfo: Uint8Array }> {
  const iv = randomBytes(IV);
  const cipher = createCipheriv("aes-256-gcm", WRAPPING_KEY, iv, { authTagLength: TAG });
  cipher.setAAD(serializeEncryptionContext(context));
  const ciphertext = await lendDataKey(dataKey, (bytes) =>
    Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]),
  );
  // Key name, bits of the tag, bytes of the IV, IV.
  const lengths = Buffer.from("000000800000000c", "hex");
  const providerInfo = Buffer.concat([Buffer.from(KEY_NAME), lengths, iv]);
  return { wrapAlgorithm: keyProvider(NAMESPACE), ciphertext, description: stringMap([]), providerInfo };
}

export const STRICT: CommitmentPolicy = "REQUIRE_ENCRYPT_REQUIRE_DECRYPT";

/** What a test may choose; everything else is as usual. */
export interface Choices extends AwsMessageFormatOptions {
  readonly manager?: MaterialsManager;
  readonly policy?: CommitmentPolicy;
  readonly context?: StringMap;
}

function formatOf({ manager: _manager, policy: _policy, context: _context, ...options }: Choices): AwsMessageFormat {
  return new AwsMessageFormat(options);
}

/** Encrypts a source to chunks. */
export async function sealing(
  choices: Choices,
  plaintext: AsyncIterable<Uint8Array>,
  contentLength?: number,
): ReturnType<AwsMessageFormat["seal"]> {
  return formatOf(choices).seal({
    materialsManager: choices.manager ?? new DefaultMaterialsManager(new RawKeyring()),
    commitmentPolicy: choices.policy ?? STRICT,
    encryptionContext: choices.context ?? CONTEXT,
    plaintext,
    ...(contentLength === undefined ? {} : { contentLength }),
  });
}

/** A whole message. */
export async function sealed(choices: Choices, plaintext: Uint8Array): Promise<Buffer> {
  return collect((await sealing(choices, chunksOf(plaintext, 1000))).ciphertext);
}

/** Parses the header of a whole message and opens it; where there is none, an error that says so. */
export async function opening(
  choices: Choices,
  message: Uint8Array,
): Promise<{ readonly opened: OpenedObject; readonly headerLength: number }> {
  const format = formatOf(choices);
  const header = format.readHead(message);
  if (header === null || header === "incomplete") throw new NoHeader(`${header}`);
  const opened = await format.open({
    head: header,
    materialsManager: choices.manager ?? new DefaultMaterialsManager(new RawKeyring()),
    commitmentPolicy: choices.policy ?? STRICT,
    encryptionContext: choices.context ?? CONTEXT,
  });
  return { opened, headerLength: header.length };
}

/** Not a message, or less than its header. */
export class NoHeader extends Error {}

/** Decrypts a whole message, piece by piece into `released`. */
export async function read(
  choices: Choices,
  message: Uint8Array,
  released: Uint8Array[] = [],
  chunkSize = 1000,
): Promise<Buffer> {
  const { opened, headerLength } = await opening(choices, message);
  return collect(opened.decrypt(chunksOf(message.subarray(headerLength), chunkSize)), released);
}

/** Chunks in one buffer that is used again and again, as a source may. `read` and `returned` say what became of it. */
export class ReusingSource implements AsyncIterableIterator<Uint8Array> {
  read = 0;
  returned = 0;
  readonly #bytes: Uint8Array;
  readonly #next: () => number;
  #buffer: Uint8Array = new Uint8Array(0);

  constructor(bytes: Uint8Array, chunkSize: number | (() => number)) {
    this.#bytes = bytes;
    this.#next = typeof chunkSize === "number" ? () => chunkSize : chunkSize;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    this.#buffer.fill(0xdd);
    if (this.read >= this.#bytes.length) return { done: true, value: undefined };
    const chunk = this.#bytes.subarray(this.read, this.read + this.#next());
    if (this.#buffer.length < chunk.length) this.#buffer = new Uint8Array(chunk.length);
    this.#buffer.set(chunk);
    this.read += chunk.length;
    return { done: false, value: this.#buffer.subarray(0, chunk.length) };
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.returned++;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

export function chunksOf(bytes: Uint8Array, size: number | (() => number)): ReusingSource {
  return new ReusingSource(bytes, size);
}
