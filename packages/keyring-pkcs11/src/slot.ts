import { endianness } from "node:os";
import { S3EncryptionError } from "@s3ec/materials";
import type { Cryptoki, Handle } from "./cryptoki.js";
import { keyUnavailable } from "./token-errors.js";

/** A slot by its number (the slot's id, not its place in a list), or by the label of the token in it. */
export type SlotSelector = { readonly number: number } | { readonly tokenLabel: string };

/** The slot, if its token is present: `key-unavailable` if not, `invalid-configuration` where a label is not enough. */
export function findSlot(cryptoki: Cryptoki, selector: SlotSelector): Handle {
  const present = cryptoki.C_GetSlotList(true);
  const [slot, ...others] = present.filter((each) =>
    "number" in selector ? numberOf(each) === selector.number : labelOf(cryptoki, each) === selector.tokenLabel,
  );
  if (others.length > 0) {
    throw new S3EncryptionError(
      "invalid-configuration",
      "Several tokens have this label: name the one by its slot number.",
    );
  }
  if (slot !== undefined) return slot;
  const named =
    "number" in selector ? `in the slot number ${selector.number}` : `with the label "${selector.tokenLabel}"`;
  throw keyUnavailable(`The PKCS#11 module sees no token ${named}: check that it is connected, and its name.`);
}

function labelOf(cryptoki: Cryptoki, slot: Handle): string | undefined {
  try {
    // Padded with blanks to 32 bytes.
    return cryptoki.C_GetTokenInfo(slot).label.trimEnd();
  } catch {
    // A token that is being removed, or a reader that fails, says nothing of the others.
    return undefined;
  }
}

/** Handles are numbers in the machine's own byte order. */
function numberOf(handle: Handle): number {
  const bytes = Buffer.from(handle);
  return Number(`0x${(endianness() === "LE" ? bytes.reverse() : bytes).toString("hex")}`);
}
