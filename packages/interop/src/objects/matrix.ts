import { plaintext, sha256 } from "../peers/plaintext.js";
import { type Judged, judge } from "../peers/verdict.js";
import type { ServiceEndpoint } from "../servers/servers.js";
import { hasDelayedAuthentication, hasSwitches, type Reading, readVerdict, writeVerdict } from "./expectations.js";
import type { ChildJob, ClientName, GetJob, KeyringJob, KeyringType, ObjectPeer, PutJob } from "./job.js";
import {
  CHILD_DESCRIPTION,
  CUSTOM_SUFFIX,
  ENTRIES,
  hasKeyring,
  isOrdinary,
  type StoredObject,
  storedObjects,
  wrapOf,
} from "./stored-object.js";

export interface Surroundings {
  readonly s3: ServiceEndpoint;
  readonly kms: ServiceEndpoint;
  readonly bucket: string;
  readonly keyrings: Readonly<Record<KeyringType, KeyringJob>>;
  /** The key of every child. */
  readonly child: ChildJob["keyring"];
}

/** One put, or one get when it has a reader. */
export interface Cell extends Judged {
  readonly object: StoredObject;
  readonly reader?: ClientName;
  readonly reading?: Reading;
}

interface Placed {
  readonly object: StoredObject;
  readonly job: Omit<PutJob, "op" | "suite" | "body" | "child">;
  readonly child: ChildJob;
  readonly seed: number;
  readonly sha256: string;
}

/** Lets every peer write everything that it can, then every peer read what was written. */
export async function runMatrix(peers: readonly ObjectPeer[], surroundings: Surroundings): Promise<Cell[]> {
  const peerOf = new Map(peers.flatMap((peer) => peer.clients.map((client) => [client, peer] as const)));
  const placed = storedObjects(new Set(peerOf.keys())).map((object, seed) => place(object, seed, surroundings));

  const written = await Promise.all(
    placed.map(async (each) => ({ ...each, cell: await put(each, peerOf.get(each.object.writer)) })),
  );
  const stored = written.filter(({ cell }) => cell.outcome === "ok");
  const gets = stored.flatMap((each) =>
    [...peerOf].flatMap(([reader, peer]) =>
      readingsOf(each.object, reader).map((reading) => get(each, reader, reading, peer)),
    ),
  );
  return [...written.map(({ cell }) => cell), ...(await Promise.all(gets))];
}

function place(object: StoredObject, seed: number, surroundings: Surroundings): Placed {
  const { s3, kms, bucket, keyrings } = surroundings;
  const entries = ENTRIES[object.entries];
  return {
    object,
    seed,
    sha256: sha256(plaintext(seed, object.size)),
    child: {
      keyring: surroundings.child,
      instructionFileSuffix: CUSTOM_SUFFIX,
      materialDescription: CHILD_DESCRIPTION,
    },
    job: {
      client: object.writer,
      s3,
      kms,
      bucket,
      key: `${seed}-${object.writer}-${object.keyring}-${object.suite}`,
      keyring: keyrings[object.keyring],
      placement: object.placement,
      ...(object.customSuffix ? { instructionFileSuffix: CUSTOM_SUFFIX } : {}),
      ...(wrapOf(object) === "kms+context" ? { encryptionContext: entries } : { materialDescription: entries }),
    },
  };
}

async function put({ object, job, child, seed, sha256 }: Placed, peer: ObjectPeer | undefined): Promise<Cell> {
  if (peer === undefined) throw new Error(`Nobody runs ${object.writer}.`);
  const body = { seed, length: object.size };
  const answer = await peer.run({
    ...job,
    op: "put",
    suite: object.suite,
    body,
    ...(object.child === true ? { child } : {}),
  });
  return { object, expected: writeVerdict(object), ...judge(object.size, sha256, answer) };
}

function readingsOf(object: StoredObject, reader: ClientName): Reading[] {
  const asChild: Reading[] = object.child === true && hasKeyring(reader, "rsa") ? ["as-child"] : [];
  if (!hasKeyring(reader, object.keyring)) return asChild;
  const readings: Reading[] = ["all-switches", ...asChild];
  if (isOrdinary(object) && hasSwitches(reader)) readings.push("defaults");
  if (isOrdinary(object) && hasDelayedAuthentication(reader)) readings.push("delayed-authentication");
  if (isOrdinary(object) && wrapOf(object) === "kms+context") readings.push("other-context");
  return readings;
}

async function get(placed: Placed, reader: ClientName, reading: Reading, peer: ObjectPeer): Promise<Cell> {
  const { object, sha256 } = placed;
  const read: GetJob = {
    ...(reading === "as-child" ? childsJob(placed) : placed.job),
    op: "get",
    client: reader,
    legacy: reading !== "defaults",
    delayedAuthentication: reading === "delayed-authentication",
    ...(reading === "other-context" ? { encryptionContext: { tenant: "south" } } : {}),
  };
  const answer = await peer.run(read);
  const expected = readVerdict(object, reader, reading);
  return { object, reader, reading, expected, ...judge(object.size, sha256, answer) };
}

/** Whoever holds the child's key knows its description, and nothing of the generator. */
function childsJob({ job, child }: Placed): Placed["job"] {
  const { encryptionContext: _, ...place } = job;
  return { ...place, ...child, placement: "instruction-file" };
}
