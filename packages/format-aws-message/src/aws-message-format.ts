import { assertMayEncrypt } from "@s3ec/envelope";
import {
  assertKnownOptions,
  type CommitmentPolicy,
  type ObjectFormat,
  type ObjectToInspect,
  type ObjectToSeal,
  type OpenedObject,
  type OptionNames,
  type Recognition,
  S3EncryptionError,
  type SealedObject,
} from "@s3ec/materials";
import { type ParsedHeader, parseHeader } from "./header.js";
import { inspectMessage, type MessageInspection } from "./inspect-message.js";
import { COMMITTED, COMMITTED_SIGNED } from "./message-suites.js";
import { type MessageToOpen, openMessage } from "./open-message.js";
import { type MessageSettings, sealMessage } from "./seal-message.js";

/** What an `AwsMessageFormat` writes, and what it holds in memory for others' messages. Every field has a default. */
export interface AwsMessageFormatOptions {
  /** Plaintext bytes of a frame, the least that a ranged read fetches. Default 65,536. */
  readonly frameLength?: number;
  /**
   * Sign what is written (ECDSA P-384), so that its readers can be told from its writers. Such a message is read as a
   * whole only. Default false.
   */
  readonly signed?: boolean;
  /** Wrapped keys that a message may hold, on writing and on reading: each may cost a call to a key store. Default 10. */
  readonly maxEncryptedDataKeys?: number;
  /** Bytes that a header may have on reading. Default 131,072. */
  readonly maxHeaderLength?: number;
  /** Bytes that a frame may have on reading; one is held in memory until it is authenticated. Default 16 MiB. */
  readonly maxFrameLength?: number;
}

const OPTIONS: OptionNames<AwsMessageFormatOptions> = {
  frameLength: true,
  signed: true,
  maxEncryptedDataKeys: true,
  maxHeaderLength: true,
  maxFrameLength: true,
};

const DEFAULTS = {
  frameLength: 64 * 1024,
  maxEncryptedDataKeys: 10,
  maxHeaderLength: 128 * 1024,
  maxFrameLength: 16 * 1024 * 1024,
};

/**
 * Messages of the AWS Encryption SDK as the body of an object: what that SDK reads, in any language, after a plain
 * download. Writes the committed suites (header version 2); reads every suite, those without key commitment where the
 * commitment policy allows it.
 */
export class AwsMessageFormat implements ObjectFormat {
  readonly name = "message";
  readonly provesAll = true;
  readonly #settings: MessageSettings;

  /** @throws S3EncryptionError `invalid-argument` for options that are unknown or out of their range */
  constructor(options: AwsMessageFormatOptions = {}) {
    assertKnownOptions(options, OPTIONS, "AwsMessageFormat");
    const { signed = false, ...given } = options;
    const { frameLength, ...limits } = { ...DEFAULTS, ...given };
    const bounds: Record<string, readonly [number, number]> = {
      frameLength: [frameLength, limits.maxFrameLength],
      maxEncryptedDataKeys: [limits.maxEncryptedDataKeys, 0xffff],
      maxHeaderLength: [limits.maxHeaderLength, Number.MAX_SAFE_INTEGER],
      maxFrameLength: [limits.maxFrameLength, 2 ** 31 - 1],
    };
    for (const [name, [value, max]] of Object.entries(bounds)) {
      if (Number.isSafeInteger(value) && value >= 1 && value <= max) continue;
      throw new S3EncryptionError("invalid-argument", `${name} must be a whole number from 1 to ${max}.`);
    }
    this.#settings = { suite: signed ? COMMITTED_SIGNED : COMMITTED, frameLength, limits };
  }

  assertMayWrite(commitmentPolicy: CommitmentPolicy): void {
    assertMayEncrypt(this.#settings.suite, commitmentPolicy);
  }

  /** Nothing of a message is in the metadata. */
  recognise(): Recognition {
    return "by-body";
  }

  readHead(start: Uint8Array): ParsedHeader | "incomplete" | null {
    return parseHeader(start, this.#settings.limits);
  }

  async open(object: MessageToOpen): Promise<OpenedObject> {
    return await openMessage(this.#settings.limits, object);
  }

  async seal(object: ObjectToSeal): Promise<SealedObject> {
    return await sealMessage(this.#settings, object);
  }

  /** A message's length depends on its header. */
  plaintextLength(): undefined {
    return undefined;
  }

  async inspect(object: ObjectToInspect): Promise<MessageInspection> {
    return inspectMessage(object);
  }
}
