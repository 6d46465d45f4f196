import type { KeyObject } from "node:crypto";
import { RSA_OAEP_SHA256, RSA_PKCS1 } from "@s3ec/envelope";
import type { RawWrap } from "@s3ec/materials";
import { unwrapOaepSha256 } from "./legacy-oaep-sha256.js";
import { unwrapPkcs1, unwrapPkcs1OrUnpadded } from "./legacy-pkcs1.js";
import { modulusLength } from "./rsa-oaep.js";

/** Implicit rejection answers for every wrapped key as long as the modulus. */
function opensBlindly(key: KeyObject, wrapped: Uint8Array): boolean {
  return wrapped.length === modulusLength(key);
}

/** What clients wrote before RSA-OAEP-SHA1. Read only. */
export function legacyWraps(enableUnpaddedRsa: boolean): readonly RawWrap<KeyObject>[] {
  return [
    { algorithm: RSA_OAEP_SHA256, unwrap: unwrapOaepSha256 },
    { algorithm: RSA_PKCS1, unwrap: enableUnpaddedRsa ? unwrapPkcs1OrUnpadded : unwrapPkcs1, opensBlindly },
  ];
}
