import type { ClientName, Suite } from "./job.js";
import { type StoredObject, type Wrap, wrapOf } from "./stored-object.js";

/**
 * How a reader is set up: with every switch for old objects on; as it comes; or with every switch on and another
 * encryption context than the writer's.
 */
export type Reading = "all-switches" | "defaults" | "other-context";

/** `wrong-bytes`: it answers without an error, but not with what was written. */
export type Outcome = "ok" | "refused" | "wrong-bytes";

/** What must happen, and the rule of docs/formats.md or the observed deviation that says so. */
export interface Verdict {
  readonly outcome: Outcome;
  readonly reason: string;
}

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
};

/** Whether the client has switches, so that reading with its defaults is another case. */
export function hasSwitches(reader: ClientName): boolean {
  return READERS[reader].defaults !== undefined;
}

interface Exception extends Verdict {
  readonly applies: (object: StoredObject, reader: ClientName, reading: Reading) => boolean;
}

/** Where a client does something else than docs/formats.md 3.1 says; the first that applies counts. */
const READ_EXCEPTIONS: readonly Exception[] = [];

const WRITE_EXCEPTIONS: readonly (Verdict & { readonly applies: (object: StoredObject) => boolean })[] = [];

/** What must become of the put. */
export function writeVerdict(object: StoredObject): Verdict {
  return (
    WRITE_EXCEPTIONS.find(({ applies }) => applies(object)) ?? { outcome: "ok", reason: "docs/formats.md 0.2" }
  );
}

/** What must become of the get. */
export function readVerdict(object: StoredObject, reader: ClientName, reading: Reading): Verdict {
  const exception = READ_EXCEPTIONS.find(({ applies }) => applies(object, reader, reading));
  if (exception !== undefined) return exception;
  const { switchedOn, defaults } = READERS[reader];
  const abilities = reading === "defaults" ? (defaults ?? switchedOn) : switchedOn;
  if (!abilities.suites.includes(object.suite)) return refused(`docs/formats.md 3.1: no ${object.suite} content`);
  const wrap = wrapOf(object);
  if (!abilities.wraps.includes(wrap)) return refused(`docs/formats.md 3.1: no ${wrap} wraps`);
  if (reading === "other-context") return refused("docs/formats.md 3.3: the context must match");
  return { outcome: "ok", reason: "docs/formats.md 3.1" };
}

function refused(reason: string): Verdict {
  return { outcome: "refused", reason };
}
