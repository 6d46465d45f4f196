import type { Verdict } from "../peers/verdict.js";
import type { ClientName, Placement, Suite } from "./job.js";
import { isOurs, type StoredObject, type Wrap, wrapOf } from "./stored-object.js";

/**
 * How a reader is set up: with every switch for old objects on; as it comes; or with every switch on and, besides,
 * delayed authentication, another encryption context than the writer's, or the child's key and suffix alone.
 */
export type Reading = "all-switches" | "defaults" | "delayed-authentication" | "other-context" | "as-child";

interface Abilities {
  readonly wraps: readonly Wrap[];
  readonly suites: readonly Suite[];
}

const MODERN: readonly Wrap[] = ["AES/GCM", "RSA-OAEP-SHA1", "kms+context"];
const EVERY_WRAP: readonly Wrap[] = [...MODERN, "none", "kms", "AESWrap", "OAEP-SHA256"];
const BEFORE_V3: readonly Suite[] = ["cbc", "gcm"];
const EVERY_SUITE: readonly Suite[] = ["cbc", "gcm", "committing"];
const V1_AND_V2: Abilities = { wraps: EVERY_WRAP, suites: BEFORE_V3 };
const MODERN_V2: Abilities = { wraps: MODERN, suites: ["gcm"] };
const V3_ONLY: Abilities = { wraps: MODERN, suites: ["committing"] };

/** docs/formats.md 3.1, by setting; clients without switches have one row for both. */
const READERS: Readonly<Record<ClientName, { readonly switchedOn: Abilities; readonly defaults?: Abilities }>> = {
  "java-v1-eo": { switchedOn: V1_AND_V2 },
  "java-v1-ae": { switchedOn: V1_AND_V2 },
  "java-v1-strict": { switchedOn: { wraps: [...MODERN, "kms", "AESWrap", "OAEP-SHA256"], suites: ["gcm"] } },
  "java-v2-strict": { switchedOn: MODERN_V2 },
  "java-v2-ae": { switchedOn: V1_AND_V2 },
  "java-v3": { switchedOn: V1_AND_V2, defaults: MODERN_V2 },
  "java-v4": { switchedOn: { wraps: EVERY_WRAP, suites: EVERY_SUITE }, defaults: V3_ONLY },
  "go-s3crypto-v1": { switchedOn: { wraps: ["kms", "kms+context"], suites: BEFORE_V3 } },
  "go-s3crypto-v2": { switchedOn: { wraps: ["kms", "kms+context"], suites: BEFORE_V3 }, defaults: MODERN_V2 },
  "go-v3": { switchedOn: { wraps: ["kms", "kms+context"], suites: BEFORE_V3 }, defaults: MODERN_V2 },
  "go-v4": { switchedOn: { wraps: ["kms", "kms+context"], suites: EVERY_SUITE }, defaults: V3_ONLY },
  "python-v4": { switchedOn: { wraps: ["kms", "kms+context"], suites: EVERY_SUITE }, defaults: V3_ONLY },
  "ruby-v1": { switchedOn: { wraps: ["none", "kms"], suites: BEFORE_V3 } },
  "ruby-v2": { switchedOn: { wraps: [...MODERN, "none", "kms"], suites: BEFORE_V3 }, defaults: MODERN_V2 },
  ours: { switchedOn: { wraps: EVERY_WRAP, suites: EVERY_SUITE }, defaults: V3_ONLY },
  "ours-pkcs11": { switchedOn: { wraps: MODERN, suites: EVERY_SUITE }, defaults: V3_ONLY },
};

const RELEASES_EARLY: ReadonlySet<ClientName> = new Set(["java-v3", "java-v4", "python-v4", "ours", "ours-pkcs11"]);

/** Whether the client can be told to release plaintext before it is authenticated. */
export function hasDelayedAuthentication(reader: ClientName): boolean {
  return RELEASES_EARLY.has(reader);
}

/** Whether the client has switches, so that reading with its defaults is another case. */
export function hasSwitches(reader: ClientName): boolean {
  return READERS[reader].defaults !== undefined;
}

interface Exception extends Verdict {
  readonly applies: (object: StoredObject, reader: ClientName, reading: Reading) => boolean;
}

/** Where a client does something else than docs/formats.md 3.1 says; the first that applies counts. */
const READ_EXCEPTIONS: readonly Exception[] = [
  {
    applies: ({ placement }, reader, reading) =>
      isOneOf(reader, "java-v3", "java-v4") && reading === "as-child" && placement === "metadata",
    outcome: "refused",
    reason: "looks at a custom suffix only where the metadata holds no wrapped key (docs/formats.md 1.6)",
  },
  {
    applies: ({ suite, placement }, reader, reading) =>
      isOneOf(reader, "java-v1-eo", "java-v1-ae") &&
      suite === "committing" &&
      placement === "metadata" &&
      reading !== "as-child",
    outcome: "wrong-bytes",
    reason: "finds no envelope that it knows and returns the ciphertext as if it were the plaintext (H27, S13)",
  },
  {
    applies: ({ customSuffix }, reader) => isOneOf(reader, "go-v3", "go-v4") && customSuffix,
    outcome: "refused",
    reason: "has no option that names an instruction file's suffix (docs/formats.md 1.6)",
  },
  {
    applies: (object, reader) => isOneOf(reader, "java-v3", "java-v4") && isRawText(object, "instruction-file"),
    outcome: "refused",
    reason:
      "undoes S3's encoding of headers in the text of an instruction file too, and corrupts it (docs/formats.md 1.9)",
  },
  {
    applies: (object, reader) => isOneOf(reader, "go-v3", "go-v4") && isRawText(object, "instruction-file"),
    outcome: "refused",
    reason:
      "undoes S3's encoding of headers in the text of an instruction file too, and corrupts it (docs/formats.md 1.9)",
  },
  {
    applies: (object, reader) => isOneOf(reader, "go-v3", "go-v4") && isRawText(object, "metadata"),
    outcome: "refused",
    reason: "undoes S3's encoding of a header that versitygw returns as it was sent (docs/formats.md 1.9)",
  },
  {
    applies: (object, reader) =>
      isRawText(object, "metadata") &&
      (isOneOf(reader, "java-v2-strict", "java-v2-ae") ||
        (isOneOf(reader, "java-v1-eo", "java-v1-ae", "java-v1-strict") && wrapOf(object) !== "kms+context")),
    outcome: "refused",
    reason: "reads the bytes of a header as Latin-1 (docs/formats.md 1.9)",
  },
  {
    applies: ({ writer, placement }, reader) =>
      reader === "python-v4" && writer.startsWith("go-s3crypto-") && placement === "instruction-file",
    outcome: "refused",
    reason: "refuses an instruction file that holds `x-amz-unencrypted-content-length` (H8)",
  },
  {
    applies: (object, reader) =>
      reader === "python-v4" && object.entries === "non-ascii" && wrapOf(object) === "kms+context",
    outcome: "refused",
    reason: "takes no context that is not ASCII (docs/formats.md 2.9)",
  },
  {
    applies: (object, reader) => reader === "python-v4" && isRawText(object, "metadata"),
    outcome: "refused",
    reason: "reads the bytes of a header as Latin-1 (docs/formats.md 1.9)",
  },
  {
    applies: (object, reader, reading) =>
      isOneOf(reader, "go-s3crypto-v1", "go-s3crypto-v2", "go-v3", "ruby-v1") &&
      reading === "other-context" &&
      object.suite === "gcm",
    outcome: "ok",
    reason: "takes no context on reading, so it opens what was written under any (docs/formats.md 3.3)",
  },
  {
    applies: (object, reader) => reader === "ruby-v1" && object.suite === "gcm" && MODERN.includes(wrapOf(object)),
    outcome: "ok",
    reason: "reads V2's wraps although docs/formats.md 3.1 says no: its release 1.117.2 knows them",
  },
];

const WRITE_EXCEPTIONS: readonly (Verdict & { readonly applies: (object: StoredObject) => boolean })[] = [
  {
    applies: ({ writer, placement, entries }) =>
      writer.startsWith("java-") && placement === "metadata" && entries === "non-ascii",
    outcome: "refused",
    reason: "puts raw UTF-8 into a header, and its own signature does not match (docs/formats.md 1.9)",
  },
  {
    applies: ({ writer, entries }) => writer === "python-v4" && entries === "non-ascii",
    outcome: "refused",
    reason: "takes no context that is not ASCII (docs/formats.md 2.9)",
  },
];

/** What must become of the put. */
export function writeVerdict(object: StoredObject): Verdict {
  const exception = WRITE_EXCEPTIONS.find(({ applies }) => applies(object));
  return exception === undefined ? { outcome: "ok", reason: "docs/formats.md 0.2" } : exceptional(exception);
}

/** What must become of the get. */
export function readVerdict(object: StoredObject, reader: ClientName, reading: Reading): Verdict {
  const usual = usualVerdict(object, reader, reading);
  const exception = READ_EXCEPTIONS.find(
    ({ applies, outcome }) => outcome !== usual.outcome && applies(object, reader, reading),
  );
  return exception === undefined ? usual : exceptional(exception);
}

function usualVerdict(object: StoredObject, reader: ClientName, reading: Reading): Verdict {
  const { switchedOn, defaults } = READERS[reader];
  const abilities = reading === "defaults" ? (defaults ?? switchedOn) : switchedOn;
  if (!abilities.suites.includes(object.suite)) {
    return refused(reader, "commitment-policy", `docs/formats.md 3.1: no ${object.suite} content`);
  }
  const wrap = reading === "as-child" ? "RSA-OAEP-SHA1" : wrapOf(object);
  if (!abilities.wraps.includes(wrap)) {
    // Where it has every switch on, its keyring has no key for them.
    const code = reader === "ours-pkcs11" ? "no-matching-key" : "legacy-disabled";
    return refused(reader, code, `docs/formats.md 3.1: no ${wrap} wraps`);
  }
  if (reading === "other-context") {
    return refused(reader, "context-mismatch", "docs/formats.md 3.3: the context must match");
  }
  return { outcome: "ok", reason: "docs/formats.md 3.1" };
}

function exceptional({ outcome, reason }: Verdict): Verdict {
  return { outcome, reason, exception: true };
}

/** Ours must also say why; the others say it in their own words. */
function refused(reader: ClientName, code: string, reason: string): Verdict {
  return { outcome: "refused", reason, ...(isOurs(reader) ? { code } : {}) };
}

/** Ours escapes what is not ASCII; the others write it as it is, wherever writing it succeeds. */
function isRawText({ writer, entries, placement }: StoredObject, where: Placement): boolean {
  return entries === "non-ascii" && placement === where && !isOurs(writer);
}

function isOneOf(client: ClientName, ...clients: readonly ClientName[]): boolean {
  return clients.includes(client);
}
