import type { S3Client } from "@aws-sdk/client-s3";
import {
  type AuditCoverage,
  type AuditedObject,
  type AuditOptions,
  AuditTotals,
  auditBucket,
  auditObjects,
} from "@s3ec/bulk";
import { type AuditAnswer, keyAnswer, readerAnswer } from "./audit-answer.js";
import { type AuditFormat, headOf, lineOf, totalsIn } from "./audit-output.js";
import { EXIT_CODES } from "./exit-codes.js";
import type { AskedKey } from "./key-of.js";
import { codeOfNothing } from "./many-options.js";
import type { ObjectAddress } from "./object-address.js";
import { assertSomethingThere, filterOf, objectSource, type SourceOptions } from "./object-source.js";
import { asOptions, inOptions } from "./option-names.js";
import { print, tell } from "./printing.js";
import type { AskedReader } from "./readable-by.js";

/** What `s3ec audit` is told beside its objects and its key. */
export interface AuditManyOptions extends SourceOptions {
  readonly concurrency?: number;
  readonly suffix?: string;
  readonly messages?: boolean;
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly summary?: boolean;
}

/** What an audit is asked about: keys, a reader, or nothing. */
export interface Asked {
  readonly keys: readonly AskedKey[];
  readonly reader: AskedReader | undefined;
}

/** Audits, prints what is found as it comes, then what it comes to; returns the exit code. */
export async function auditMany(
  client: S3Client,
  address: ObjectAddress,
  options: AuditManyOptions,
  asked: Asked,
  signal: AbortSignal,
): Promise<number> {
  const format: AuditFormat = options.json === true ? "json" : options.csv === true ? "csv" : "table";
  const isShown = options.summary !== true;
  const totals = new AuditTotals();
  const head = headOf(format, asked);
  if (isShown && head !== undefined) await print(head);
  const results = await resultsOf(client, address, options, asked, signal);
  let isNothing = false;
  let came = 0;
  let next = await results.next();
  for (; next.done !== true; next = await results.next()) {
    totals.add(next.value);
    came += 1;
    isNothing ||= next.value.state === "nothing";
    if (isShown)
      await print(
        lineOf(format, inOptions(next.value), { Bucket: address.Bucket, hasReader: asked.reader !== undefined }),
      );
  }
  const coverage = next.value;
  const keys = asked.keys.map((key) => keyAnswer(key, asked.keys.length > 1, totals, coverage));
  const readers = asked.reader === undefined ? [] : [readerAnswer(asked.reader, totals, coverage)];
  const answers = [...keys, ...readers];
  const unknown = coverage?.unknown.map(asOptions);
  if (format === "json") {
    const [keyOf] = keys;
    const [readableBy] = readers;
    const ofKeys = keys.length > 1 ? { keysOf: keys } : keyOf === undefined ? {} : { keyOf };
    await print(
      JSON.stringify({
        totals,
        ...(unknown === undefined ? {} : { unknown }),
        ...ofKeys,
        ...(readableBy === undefined ? {} : { readableBy }),
      }),
    );
  } else {
    // Each answer says it of itself.
    const notKnown = answers.length > 0 ? [] : (unknown ?? []).map((sentence) => `Not known: ${sentence}`);
    const text = [...totalsIn(totals), ...notKnown, ...answers.flatMap(({ words }) => words)].join("\n");
    // Whatever reads the CSV is to read nothing else.
    await (format === "csv" ? tell(text) : print(isShown ? `\n${text}` : text));
  }
  if ((await filterOf(address, options)) === undefined) assertSomethingThere(address, options, came);
  const missing = isNothing ? codeOfNothing(options) : EXIT_CODES.ok;
  if (missing !== EXIT_CODES.ok) return missing;
  return exitCode(answers, (totals.byState.get("unknown")?.objects ?? 0) > 0);
}

/** The worst of the answers: somebody deletes a key, or its last reader, on a 0. */
function exitCode(answers: readonly AuditAnswer[], hasUnknown: boolean): number {
  if (answers.length === 0) return hasUnknown ? EXIT_CODES.open : EXIT_CODES.ok;
  if (answers.some(({ isOpen }) => isOpen)) return EXIT_CODES.open;
  return answers.every(({ isWhole }) => isWhole) ? EXIT_CODES.ok : EXIT_CODES.partial;
}

/** Only a live listing tells whether it is whole. */
async function resultsOf(
  client: S3Client,
  { Bucket, Key }: ObjectAddress,
  options: AuditManyOptions,
  { keys, reader }: Asked,
  abortSignal: AbortSignal,
): Promise<AsyncGenerator<AuditedObject, AuditCoverage | undefined>> {
  const audit = {
    Bucket,
    abortSignal,
    ...(reader === undefined ? {} : { readableBy: reader.reader }),
    ...questionsOf(keys),
    ...(options.messages === undefined ? {} : { messages: options.messages }),
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
    ...(options.suffix === undefined ? {} : { instructionFileSuffixes: [options.suffix] }),
  };
  if (options.recursive === true) {
    const filter = await filterOf({ Bucket, Key }, options);
    const listed = { Prefix: Key, versions: options.versions === true };
    return auditBucket(client, { ...audit, ...listed, ...(filter === undefined ? {} : { filter }) });
  }
  const { objects, areFilesListed } = await objectSource(client, { Bucket, Key }, options, abortSignal);
  return auditObjects(client, objects, { ...audit, areFilesListed });
}

/** One is answered for itself, of several each by its name. */
function questionsOf(keys: readonly AskedKey[]): Pick<AuditOptions, "keyQuestion" | "keyQuestions"> {
  const [key] = keys;
  if (key === undefined) return {};
  if (keys.length === 1) return { keyQuestion: key.question };
  return { keyQuestions: Object.fromEntries(keys.map(({ asked, question }) => [asked, question])) };
}
