import { generateKeyPairSync, randomBytes, randomUUID } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { KmsError } from "./kms-error.js";

/** The specs of keys that can be made. */
export const keySpecs: readonly KeySpec[] = ["SYMMETRIC_DEFAULT", "RSA_2048", "RSA_3072", "RSA_4096"];
/** What kind of key it is, in the names of KMS. */
export type KeySpec = "SYMMETRIC_DEFAULT" | "RSA_2048" | "RSA_3072" | "RSA_4096";

/** One key, with what it holds. */
export interface KmsKey {
  readonly id: string;
  readonly arn: string;
  readonly region: string;
  readonly spec: KeySpec;
  readonly description: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** base64 of 32 bytes, or the PEM of an RSA private key. */
  readonly material: string;
  readonly state: "Enabled" | "Disabled" | "PendingDeletion";
  /** Seconds since 1970, of a key in `PendingDeletion`. */
  readonly deletionDate?: number;
}

/** A further name of a key. */
export interface KmsAlias {
  readonly arn: string;
  readonly keyArn: string;
}

/** What a key is to be. */
export interface NewKey {
  /** A full ARN of a key, of any account and region; without it one is made up. */
  readonly arn?: string;
  readonly keyId?: string;
  readonly region: string;
  readonly spec?: KeySpec;
  readonly multiRegion?: boolean;
  readonly description?: string;
}

const account = "111122223333";

/** The keys and aliases of all regions, kept in one file that only its owner can read. */
export class KmsKeys {
  readonly #file: string;
  readonly #keys = new Map<string, KmsKey>();
  readonly #aliases = new Map<string, KmsAlias>();
  #saved: Promise<void> = Promise.resolve();

  constructor(file: string) {
    this.#file = file;
  }

  /** Reads the file, where there is one. */
  async load(): Promise<void> {
    const json = await readFile(this.#file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    if (json === undefined) return;
    const { keys, aliases }: { keys: KmsKey[]; aliases: KmsAlias[] } = JSON.parse(json);
    for (const key of keys) this.#keys.set(key.arn, key);
    for (const alias of aliases) this.#aliases.set(alias.arn, alias);
  }

  /** The keys of all regions whose deletion is not due. */
  get all(): readonly KmsKey[] {
    return [...this.#keys.values()].filter(isAlive);
  }

  /** The aliases of all regions. */
  get aliases(): readonly KmsAlias[] {
    return [...this.#aliases.values()];
  }

  /** The key that a `KeyId` names: an ARN of a key or alias, or, within the region, an id or `alias/NAME`. */
  find(keyId: string, region: string): KmsKey {
    const arn = keyId.startsWith("arn:") ? keyId : arnOf(region, keyId.startsWith("alias/") ? keyId : `key/${keyId}`);
    const alias = this.#aliases.get(arn);
    const name = keyId.includes("alias/") ? alias?.keyArn : arn;
    const direct = this.#keys.get(name ?? "");
    // A key made for an ARN of another account is still found by its bare id.
    const key = direct ?? this.all.find((other) => other.id === keyId && other.region === region);
    if (key === undefined || !isAlive(key))
      throw new KmsError(
        "NotFoundException",
        `${alias || keyId.includes("alias/") ? "Alias" : "Key"} '${arn}' does not exist`,
      );
    return key;
  }

  /** Whether there is a key or an alias with this ARN. */
  has(arn: string): boolean {
    return this.#keys.has(arn) || this.#aliases.has(arn);
  }

  /** Creates the key for an ARN that something else names; for that of an alias, a key and the alias. */
  createFor(arn: string): KmsKey {
    const [, region] = /^arn:[^:]+:kms:([^:]+):\d*:alias\//.exec(arn) ?? [];
    if (region === undefined) return this.create({ arn, region: "" });
    const key = this.create({ region });
    this.setAlias(arn, key);
    return key;
  }

  /** The key of this id in the region, or in any other: keys of one id are replicas and share their material. */
  findById(id: string, region: string): KmsKey | undefined {
    const same = this.all.filter((key) => key.id === id);
    return same.find((key) => key.region === region) ?? same[0];
  }

  /** @throws KmsError for an ARN that is none, and `AlreadyExistsException` */
  create({ arn, keyId, region, spec = "SYMMETRIC_DEFAULT", multiRegion, description = "" }: NewKey): KmsKey {
    const id = keyId ?? (multiRegion ? `mrk-${randomBytes(16).toString("hex")}` : randomUUID());
    const fullArn = arn ?? arnOf(region, `key/${id}`);
    const [, arnRegion, arnId] = /^arn:[^:]+:kms:([^:]+):\d*:key\/([\w-]{1,128})$/.exec(fullArn) ?? [];
    if (arnRegion === undefined || arnId === undefined)
      throw new KmsError("ValidationException", `${fullArn} is not the ARN of a KMS key.`);
    const replica = this.all.find((key) => key.id === arnId);
    if (this.#keys.has(fullArn) || (replica !== undefined && !isMultiRegion(replica)))
      throw new KmsError("AlreadyExistsException", `The key ${fullArn} already exists.`);
    const key: KmsKey = {
      id: arnId,
      arn: fullArn,
      region: arnRegion,
      spec: replica?.spec ?? spec,
      description,
      created: Math.floor(Date.now() / 1000),
      material: replica?.material ?? newMaterial(spec),
      state: "Enabled",
    };
    this.update(key);
    return key;
  }

  /** Puts the key in place of the one of its ARN. */
  update(key: KmsKey): void {
    this.#keys.set(key.arn, key);
    this.#save();
  }

  /** `name` is `alias/NAME`, or the ARN of an alias. */
  setAlias(name: string, key: KmsKey): void {
    const arn = name.startsWith("arn:") ? name : arnOf(key.region, name);
    if (!/:alias\/[\w/-]{1,250}$/.test(arn) || arn.includes(":alias/aws/"))
      throw new KmsError(
        "ValidationException",
        "An alias is alias/ and letters, digits, slashes, dashes; not alias/aws/.",
      );
    this.#aliases.set(arn, { arn, keyArn: key.arn });
    this.#save();
  }

  /** The alias of a name or ARN. */
  findAlias(name: string, region: string): KmsAlias | undefined {
    return this.#aliases.get(arnOf(region, name));
  }

  /** Leaves the key alone. */
  deleteAlias(alias: KmsAlias): void {
    this.#aliases.delete(alias.arn);
    this.#save();
  }

  /** Resolves once every change made so far is in the file. */
  get saved(): Promise<void> {
    return this.#saved;
  }

  #save(): void {
    const json = JSON.stringify({ keys: [...this.#keys.values()], aliases: this.aliases });
    const previous = this.#saved.catch(() => {});
    this.#saved = previous.then(async () => {
      await writeFile(`${this.#file}.tmp`, json, { mode: 0o600 });
      await rename(`${this.#file}.tmp`, this.#file);
    });
    this.#saved.catch(() => {});
  }
}

/** Whether the key can have replicas, which its id says. */
export function isMultiRegion({ id }: KmsKey): boolean {
  return id.startsWith("mrk-");
}

/** The account in the ARN of a key. */
export function accountOf({ arn }: KmsKey): string {
  return arn.split(":")[4] ?? account;
}

function arnOf(region: string, resource: string): string {
  return `arn:aws:kms:${region}:${account}:${resource}`;
}

function isAlive({ deletionDate }: KmsKey): boolean {
  return deletionDate === undefined || deletionDate * 1000 > Date.now();
}

function newMaterial(spec: KeySpec): string {
  if (spec === "SYMMETRIC_DEFAULT") return randomBytes(32).toString("base64");
  return generateKeyPairSync("rsa", {
    modulusLength: Number(spec.slice("RSA_".length)),
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  }).privateKey;
}
