import { createSecretKey, type KeyObject } from "node:crypto";
import type { Content } from "./content.js";
import { KeyProblem } from "./key-problem.js";
import { decodeBase64, withoutLineBreak } from "./source-content.js";

/** Any secret bytes; in base64 where the place holds text only. */
export function secretIn({ bytes, isText }: Content): KeyObject {
  const secret = isText ? decodeBase64(bytes.toString("utf8")) : bytes;
  if (secret === undefined) throw new KeyProblem("expected base64 text, since this place holds text only");
  return notEmpty(secret);
}

/** A PIN or a password: UTF-8 text as it is. */
export function textIn({ bytes }: Content): KeyObject {
  return notEmpty(withoutLineBreak(bytes));
}

function notEmpty(secret: Buffer): KeyObject {
  if (secret.length === 0) throw new KeyProblem("expected a secret that is not empty");
  return createSecretKey(secret);
}
