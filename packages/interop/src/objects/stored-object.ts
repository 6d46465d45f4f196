import type { StringMap } from "@s3ec/materials";
import type { ClientName, KeyringType, Placement, Suite } from "./job.js";

export type EntriesName = "none" | "ascii" | "non-ascii";

/** The entries that a caller attaches: an encryption context, or a material description for raw keys and `kms` wraps. */
export const ENTRIES: Readonly<Record<EntriesName, StringMap>> = {
  none: {},
  ascii: { tenant: "north", note: 'a <b> & "c" \\ d/e, +f' },
  "non-ascii": { ville: "Orléans", 名: "値" },
};

/** What is attached to a child's wrapped key. */
export const CHILD_DESCRIPTION: StringMap = { reader: "partner" };

/** A suffix that no client has by default. */
export const CUSTOM_SUFFIX = ".escrow";

/** One object of the matrix: who writes it and how. */
export interface StoredObject {
  readonly writer: ClientName;
  readonly keyring: KeyringType;
  readonly suite: Suite;
  readonly placement: Placement;
  readonly customSuffix: boolean;
  readonly entries: EntriesName;
  readonly size: number;
  /** Whether an RSA key wraps the same data key into a file of its own, under the custom suffix. */
  readonly child?: true;
}

export type Wrap = "none" | "kms" | "AESWrap" | "OAEP-SHA256" | "AES/GCM" | "RSA-OAEP-SHA1" | "kms+context";

/** What the writer does with the data key (docs/formats.md 2). */
export function wrapOf(object: Pick<StoredObject, "writer" | "keyring">): Wrap {
  return WRAPS[object.writer]?.[object.keyring] ?? MODERN_WRAPS[object.keyring];
}

const MODERN_WRAPS = { aes: "AES/GCM", rsa: "RSA-OAEP-SHA1", kms: "kms+context" } as const;
const FIRST_WRAPS = { aes: "none", rsa: "none", kms: "kms" } as const;
const AUTHENTICATED_V1_WRAPS = { aes: "AESWrap", rsa: "OAEP-SHA256", kms: "kms" } as const;
const WRAPS: Partial<Record<ClientName, Partial<Record<KeyringType, Wrap>>>> = {
  "java-v1-eo": FIRST_WRAPS,
  "java-v1-ae": AUTHENTICATED_V1_WRAPS,
  "java-v1-strict": AUTHENTICATED_V1_WRAPS,
  "go-s3crypto-v1": { kms: "kms" },
  "ruby-v1": FIRST_WRAPS,
};

interface Writer {
  readonly name: ClientName;
  readonly keyrings: readonly KeyringType[];
  readonly suites: readonly Suite[];
  readonly placements: readonly Placement[];
  /** Whether an ordinary put may choose the instruction file's suffix. */
  readonly customSuffix?: boolean;
  /** Under which keys, and where their own wraps go, the client adds a child. */
  readonly children?: { readonly keyrings: readonly KeyringType[]; readonly placements: readonly Placement[] };
}

const ANY_KEYRING: readonly KeyringType[] = ["aes", "rsa", "kms"];
const ANY_PLACEMENT: readonly Placement[] = ["metadata", "instruction-file"];

/** What `reEncryptInstructionFile` makes a child of; it cannot be told the context that KMS would ask for. */
const RE_ENCRYPTED: NonNullable<Writer["children"]> = { keyrings: ["aes", "rsa"], placements: ["instruction-file"] };

/** docs/formats.md 0.2. */
const WRITERS: readonly Writer[] = [
  { name: "java-v1-eo", keyrings: ANY_KEYRING, suites: ["cbc"], placements: ANY_PLACEMENT },
  { name: "java-v1-ae", keyrings: ANY_KEYRING, suites: ["gcm"], placements: ANY_PLACEMENT },
  { name: "java-v1-strict", keyrings: ANY_KEYRING, suites: ["gcm"], placements: ANY_PLACEMENT },
  { name: "java-v2-strict", keyrings: ANY_KEYRING, suites: ["gcm"], placements: ANY_PLACEMENT },
  { name: "java-v2-ae", keyrings: ANY_KEYRING, suites: ["gcm"], placements: ANY_PLACEMENT },
  { name: "java-v3", keyrings: ANY_KEYRING, suites: ["gcm"], placements: ANY_PLACEMENT, children: RE_ENCRYPTED },
  {
    name: "java-v4",
    keyrings: ANY_KEYRING,
    suites: ["gcm", "committing"],
    placements: ANY_PLACEMENT,
    children: RE_ENCRYPTED,
  },
  { name: "go-s3crypto-v1", keyrings: ["kms"], suites: ["cbc", "gcm"], placements: ANY_PLACEMENT, customSuffix: true },
  { name: "go-s3crypto-v2", keyrings: ["kms"], suites: ["gcm"], placements: ANY_PLACEMENT, customSuffix: true },
  { name: "go-v3", keyrings: ["kms"], suites: ["gcm"], placements: ["metadata"] },
  { name: "go-v4", keyrings: ["kms"], suites: ["gcm", "committing"], placements: ["metadata"] },
  { name: "python-v4", keyrings: ["kms"], suites: ["gcm", "committing"], placements: ["metadata"] },
  { name: "ruby-v1", keyrings: ANY_KEYRING, suites: ["cbc"], placements: ANY_PLACEMENT, customSuffix: true },
  { name: "ruby-v2", keyrings: ANY_KEYRING, suites: ["gcm"], placements: ANY_PLACEMENT, customSuffix: true },
  {
    name: "ours",
    keyrings: ANY_KEYRING,
    suites: ["gcm", "committing"],
    placements: ANY_PLACEMENT,
    customSuffix: true,
    children: { keyrings: ANY_KEYRING, placements: ANY_PLACEMENT },
  },
  { name: "ours-pkcs11", keyrings: ["aes", "rsa"], suites: ["gcm", "committing"], placements: ["metadata"] },
];

const SIZES = [0, 1, 16, 17, 65_537, 6 * 1024 * 1024];
/** The size at which everything but the size is varied. */
const ORDINARY_SIZE = 17;

/** Every object that these clients write. */
export function storedObjects(clients: ReadonlySet<ClientName>): StoredObject[] {
  return WRITERS.filter(({ name }) => clients.has(name)).flatMap((writer) =>
    writer.keyrings.flatMap((keyring) => writer.suites.flatMap((suite) => objectsOf(writer, keyring, suite))),
  );
}

function objectsOf(writer: Writer, keyring: KeyringType, suite: Suite): StoredObject[] {
  // Ruby V1 attaches nothing of the caller's to a KMS wrap.
  const fixed = writer.name === "ruby-v1" && keyring === "kms";
  const base = { writer: writer.name, keyring, suite, customSuffix: false, entries: fixed ? "none" : "ascii" } as const;
  const objects: StoredObject[] = writer.placements.flatMap((placement) => [
    ...SIZES.map((size) => ({ ...base, placement, size })),
    ...(fixed ? [] : (["none", "non-ascii"] as const)).map((entries) => ({
      ...base,
      entries,
      placement,
      size: ORDINARY_SIZE,
    })),
  ]);
  if (writer.customSuffix === true) {
    objects.push({ ...base, placement: "instruction-file", customSuffix: true, size: ORDINARY_SIZE });
  }
  if (writer.children?.keyrings.includes(keyring) === true) {
    for (const placement of writer.children.placements) {
      objects.push({ ...base, placement, child: true, size: ORDINARY_SIZE });
    }
  }
  return objects;
}

/** Whether the object is the one of its kind on which the reader's switches and contexts are varied. */
export function isOrdinary(object: StoredObject): boolean {
  return (
    object.size === ORDINARY_SIZE && object.entries !== "non-ascii" && !object.customSuffix && object.child !== true
  );
}

/** Clients without a keyring for the caller's own AES and RSA keys. */
const KMS_ONLY: ReadonlySet<ClientName> = new Set(["go-s3crypto-v1", "go-s3crypto-v2", "go-v3", "go-v4", "python-v4"]);

/** Whether the client is one of ours, with whichever keyring. */
export function isOurs(client: ClientName): boolean {
  return client === "ours" || client === "ours-pkcs11";
}

/** Whether the client can be configured with this kind of key at all. */
export function hasKeyring(client: ClientName, keyring: KeyringType): boolean {
  return keyring === "kms" ? client !== "ours-pkcs11" : !KMS_ONLY.has(client);
}
