import { generateKeyPairSync, randomBytes } from "node:crypto";
import { plaintext, sha256 } from "../peers/plaintext.js";
import { type Judged, judge, type Verdict } from "../peers/verdict.js";
import { createKmsKey } from "../servers/kms-key.js";
import { readVerdict } from "./expectations.js";
import type { ClientName, GetJob, KeyringJob, KeyringType, ObjectPeer, PutJob, RewrapJob } from "./job.js";
import type { Surroundings } from "./matrix.js";
import { hasKeyring, isOrdinary, type StoredObject, storedObjects, wrapOf } from "./stored-object.js";

/** An object that was re-wrapped: by whom, to which key, and, with a reader, who read it then. */
export interface RewrapCell extends Judged {
  readonly object: StoredObject;
  readonly rewrapper: ClientName;
  readonly to: Target;
  readonly reader?: ClientName;
}

interface Target {
  readonly keyring: KeyringType;
  /** The suffix of a further file; absent: the wrap that stands is replaced. */
  readonly suffix?: string;
  /** The very key that wraps it already, under another description. */
  readonly isSame?: true;
}

interface Case {
  readonly object: StoredObject;
  readonly rewrapper: ClientName;
  readonly to: Target;
  readonly readers: readonly ClientName[];
}

/** What the new keys are stored with; each key has a description of its own. */
const DESCRIPTION = { key: "new" };
const FURTHER = ".instruction-rsa";
const CONTEXT = { tenant: "moved" };

/**
 * Has ours re-wrap what every client writes to a key of every kind, for every client that knows the new wrap; and lets Java and
 * ours re-wrap instruction files for each other, in the cases of Java's `reEncryptInstructionFile`.
 */
export async function runRewraps(peers: readonly ObjectPeer[], surroundings: Surroundings): Promise<RewrapCell[]> {
  const peerOf = new Map(peers.flatMap((peer) => peer.clients.map((client) => [client, peer] as const)));
  const clients = [...peerOf.keys()];
  if (!peerOf.has("ours")) return [];
  const objects = storedObjects(new Set(clients)).filter(
    (object) => isOrdinary(object) && object.entries === "ascii" && object.writer !== "ours-pkcs11",
  );
  const keyrings = await newKeyrings(surroundings);
  const cases = [...byOurs(objects, clients), ...filesBetween(objects, clients)];
  const run = (each: Case, index: number) => runCase(each, { index, peerOf, surroundings, keyrings });
  return (await Promise.all(cases.map(run))).flat();
}

async function newKeyrings({ kms }: Surroundings): Promise<Readonly<Record<KeyringType, KeyringJob>>> {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    aes: { type: "aes", key: randomBytes(32).toString("base64") },
    rsa: {
      type: "rsa",
      privateKey: privateKey.export({ type: "pkcs8", format: "der" }).toString("base64"),
      publicKey: publicKey.export({ type: "spki", format: "der" }).toString("base64"),
    },
    kms: { type: "kms", keyId: await createKmsKey(kms) },
  };
}

function byOurs(objects: readonly StoredObject[], clients: readonly ClientName[]): Case[] {
  return objects.flatMap((object) =>
    (["aes", "rsa", "kms"] as const).map((keyring) => ({
      object,
      rewrapper: "ours" as const,
      to: { keyring },
      readers: clients.filter((reader) => hasKeyring(reader, keyring) && reader !== "ours-pkcs11"),
    })),
  );
}

/** AES -> AES, RSA -> RSA, RSA -> AES and AES -> RSA in place, AES -> RSA beside it, and a key that is not another one. */
function filesBetween(objects: readonly StoredObject[], clients: readonly ClientName[]): Case[] {
  const both = (["java-v4", "ours"] as const).filter((client) => clients.includes(client));
  const inFiles = objects.filter(
    ({ placement, keyring, writer }) =>
      placement === "instruction-file" && keyring !== "kms" && /^(?:java-v[134]|ours)/.test(writer),
  );
  return inFiles.flatMap((object) =>
    both.flatMap((rewrapper) => targetsOf(object, rewrapper).map((to) => ({ object, rewrapper, to, readers: both }))),
  );
}

function targetsOf(object: StoredObject, rewrapper: ClientName): Target[] {
  const inPlace: Target[] = [{ keyring: "aes" }, { keyring: "rsa" }, { keyring: object.keyring, isSame: true }];
  const further: Target[] = object.suite === "committing" ? [{ keyring: "rsa", suffix: FURTHER }] : [];
  // By ours, what is replaced is among all that it re-wraps.
  return [...(rewrapper === "ours" ? inPlace.slice(2) : inPlace), ...further];
}

interface Run {
  readonly index: number;
  readonly peerOf: ReadonlyMap<ClientName, ObjectPeer>;
  readonly surroundings: Surroundings;
  readonly keyrings: Readonly<Record<KeyringType, KeyringJob>>;
}

async function runCase({ object, rewrapper, to, readers }: Case, run: Run): Promise<RewrapCell[]> {
  const { surroundings, index, keyrings, peerOf } = run;
  const { s3, kms, bucket } = surroundings;
  const shared = { s3, kms, bucket, key: `rewrap-${index}`, placement: object.placement } as const;
  const entries = { tenant: "north" };
  const own = wrapOf(object) === "kms+context" ? { encryptionContext: entries } : { materialDescription: entries };
  const body = { seed: index, length: object.size };
  const written = { ...shared, client: object.writer, keyring: surroundings.keyrings[object.keyring], ...own };
  const put: PutJob = { ...written, op: "put", suite: object.suite, body };
  const stored = await asked(peerOf, put);
  if (!stored.ok) {
    const expected = { outcome: "ok", reason: "docs/formats.md 0.2" } as const;
    return [{ object, rewrapper, to, expected, ...judge(object.size, "", stored) }];
  }
  const target = to.isSame === true ? surroundings.keyrings[object.keyring] : keyrings[to.keyring];
  const described = to.keyring === "kms" ? { encryptionContext: CONTEXT } : { materialDescription: DESCRIPTION };
  const rewrap: RewrapJob = {
    ...written,
    client: rewrapper,
    op: "rewrap",
    suite: object.suite,
    legacy: true,
    // moto answers to another key's blob that access is denied, which says nothing of the key.
    enforceRotation: to.keyring !== "kms" || object.keyring !== "kms",
    to: { keyring: target, ...described, ...(to.suffix === undefined ? {} : { instructionFileSuffix: to.suffix }) },
  };
  const done = await asked(peerOf, rewrap);
  const verdict = rewrapVerdict(to);
  const cell: RewrapCell = { object, rewrapper, to, expected: verdict, ...judge(0, sha256(new Uint8Array(0)), done) };
  if (!done.ok) return [cell];
  const expected = sha256(plaintext(index, object.size));
  const reads = readers.map(async (reader) => {
    const get: GetJob = {
      ...shared,
      ...described,
      client: reader,
      keyring: target,
      op: "get",
      legacy: true,
      delayedAuthentication: false,
      ...(to.suffix === undefined ? {} : { instructionFileSuffix: to.suffix }),
      ...(rewrapper === "java-v4" && object.suite === "cbc" ? { acceptGcmForCbc: true } : {}),
    };
    const expectedRead = rewrappedVerdict(object, rewrapper, to, reader);
    return {
      object,
      rewrapper,
      to,
      reader,
      expected: expectedRead,
      ...judge(object.size, expected, await asked(peerOf, get)),
    };
  });
  return [cell, ...(await Promise.all(reads))];
}

async function asked(peerOf: Run["peerOf"], job: PutJob | GetJob | RewrapJob): ReturnType<ObjectPeer["run"]> {
  const peer = peerOf.get(job.client);
  if (peer === undefined) throw new Error(`Nobody runs ${job.client}.`);
  return await peer.run(job);
}

function rewrapVerdict({ isSame }: Target): Verdict {
  return isSame === true
    ? { outcome: "refused", reason: "rotation is enforced, and the key is not another one (docs/rotate-keys.md)" }
    : { outcome: "ok", reason: "docs/rotate-keys.md" };
}

/** Read as what ours writes of this suite under the new key; but for CBC content, which nobody writes so. */
function rewrappedVerdict(object: StoredObject, rewrapper: ClientName, to: Target, reader: ClientName): Verdict {
  if (object.suite !== "cbc") {
    return readVerdict(
      { ...object, writer: "ours", keyring: to.keyring, customSuffix: to.suffix !== undefined },
      reader,
      "all-switches",
    );
  }
  const binding = rewrapper === "java-v4" ? "AES/GCM/NoPadding" : "AES/CBC/PKCS5Padding";
  const reason = `CBC content under a wrap that is bound to ${binding} (H1)`;
  if (reader === "ours") return { outcome: "ok", reason };
  const { writer, placement } = object;
  if (reader === "python-v4" && writer.startsWith("go-s3crypto-") && placement === "instruction-file") {
    return {
      outcome: "refused",
      reason: "refuses an instruction file that holds `x-amz-unencrypted-content-length` (H8)",
    };
  }
  const readers = rewrapper === "java-v4" ? BOUND_TO_GCM : BOUND_TO_CBC[to.keyring];
  return { outcome: readers.includes(reader) ? "ok" : "refused", reason };
}

const BOUND_TO_GCM: readonly ClientName[] = ["java-v3", "java-v4"];
const BOUND_TO_CBC: Readonly<Record<KeyringType, readonly ClientName[]>> = {
  aes: ["java-v1-eo", "java-v1-ae", "java-v2-ae"],
  rsa: ["java-v1-eo", "java-v1-ae", "java-v2-ae"],
  kms: [
    "java-v1-eo",
    "java-v1-ae",
    "java-v2-ae",
    "java-v3",
    "java-v4",
    "go-s3crypto-v1",
    "go-s3crypto-v2",
    "go-v3",
    "go-v4",
    "python-v4",
    "ruby-v1",
    "ruby-v2",
  ],
};
