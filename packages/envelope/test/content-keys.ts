import { collect } from "@s3ec/test-support";
import { CBC, COMMITTING_GCM, GCM } from "../dist/algorithm-suites.js";
import { encryptContent } from "../dist/content-cipher.js";
import { type ContentKey, openContentKey } from "../dist/content-key.js";
import type { Envelope } from "../dist/envelope.js";
import { AES_ECB, AES_GCM } from "../dist/wrap-algorithms.js";
import { streamOf } from "./chunks.js";
import { CBC_IV, COMMITMENT, DATA_KEY, GCM_IV, MESSAGE_ID } from "./known-answers.js";

const encryptedDataKey = { wrapAlgorithm: AES_GCM, ciphertext: Buffer.alloc(60), description: {} };

/** Envelopes of the bodies in docs/formats.md 7.3. */
export const ENVELOPES = {
  cbc: {
    format: "V1",
    placement: "metadata",
    suite: CBC,
    algorithmBinding: CBC.storedName,
    iv: CBC_IV,
    encryptedDataKey: { ...encryptedDataKey, wrapAlgorithm: AES_ECB },
  },
  gcm: {
    format: "V2",
    placement: "metadata",
    suite: GCM,
    algorithmBinding: GCM.storedName,
    iv: GCM_IV,
    encryptedDataKey,
  },
  committing: {
    format: "V3",
    placement: "metadata",
    suite: COMMITTING_GCM,
    algorithmBinding: COMMITTING_GCM.storedName,
    messageId: MESSAGE_ID,
    commitment: COMMITMENT,
    encryptedDataKey,
  },
} as const satisfies Record<string, Envelope>;

export type Kind = keyof typeof ENVELOPES;
export const KINDS: readonly Kind[] = ["cbc", "gcm", "committing"];

export const contentKey = (kind: Kind): ContentKey => openContentKey(ENVELOPES[kind], DATA_KEY);

export const encrypted = (content: ContentKey, bytes: Uint8Array): Promise<Buffer> =>
  collect(encryptContent(content, streamOf([bytes])));
