import { readFileSync } from "node:fs";
import { readJson } from "./read-json.js";
import type { KmsAnswer } from "./vector.js";

/** An object that a product other than an S3 encryption client stored, by its own code, or a client with keys of a keystore. */
export interface ProductObject {
  /** A unique name, which begins with the product's. */
  readonly id: string;
  /** What made it, with its version. */
  readonly product: string;
  /** User metadata as S3 returns it, without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The stored bytes, relative to the package. */
  readonly body: { readonly file: string };
  /** What must come out, as of vectors. */
  readonly plaintext: { readonly seed: number; readonly length: number; readonly sha256: string };
  /** The raw AES key in base64, where it has one. */
  readonly key?: string;
  /** The one question that KMS answers, where it has a KMS key. */
  readonly kms?: KmsAnswer;
  /** The keystore among the key files, where its key is in one. */
  readonly store?: string;
}

/** Every such object. */
export function loadProductObjects(): readonly ProductObject[] {
  return readJson("products/manifest.json");
}

/** Its stored bytes. */
export function readProductObject({ body }: Pick<ProductObject, "body">): Buffer {
  return readFileSync(new URL(`../${body.file}`, import.meta.url));
}
