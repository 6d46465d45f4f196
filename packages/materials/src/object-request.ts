import type { CommitmentPolicy, StringMap } from "@s3ec/envelope";
import type { MaterialsManager, RequestedObject } from "./materials-manager.js";

/** What a call says, for the format to make of it what it can. */
export interface ObjectRequest extends RequestedObject {
  /** Whom the format asks for data keys; an object that must not be read or written never gets that far. */
  readonly materialsManager: MaterialsManager;
  /** Which suites may be written and read, whatever the format. */
  readonly commitmentPolicy: CommitmentPolicy;
  /** On writing, what to bind; on reading, what must be stored (S10). Empty where none is given. */
  readonly encryptionContext: StringMap;
  /** On writing, to be stored beside a raw key's wrap; on reading, what must be stored. Default: the call says none. */
  readonly materialDescription?: StringMap;
  /** Suffix of the file that the call names. Default: the format's own place. */
  readonly siblingSuffix?: string;
}
