import type { EncryptedDataKey } from "@s3ec/materials";

/** Whether a wrapped key needs the wrapping key that is asked about. What is not known counts as `yes` for whoever deletes it. */
export type Need = "yes" | "no" | "unknown";

/** One wrapping key, which an audit asks about each wrapped key. */
export interface KeyQuestion {
  /**
   * Whether this wrapped key is one of the key that is asked about.
   *
   * @param wrappingKey what is stored about the key beside the wrap: a hint, which can make a `yes` and never a `no`
   */
  needs(encryptedDataKey: EncryptedDataKey, wrappingKey: string | undefined): Promise<Need>;
}
