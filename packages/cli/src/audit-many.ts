import type { S3Client } from "@aws-sdk/client-s3";
import { type AuditCoverage, type AuditedObject, AuditTotals, auditBucket, auditObjects } from "@s3ec/bulk";
import { type AuditFormat, answerIn, headOf, keyAnswer, lineOf, totalsIn } from "./audit-output.js";
import { EXIT_CODES } from "./exit-codes.js";
import type { AskedKey } from "./key-of.js";
import type { ObjectAddress } from "./object-address.js";
import { filterOf, objectSource, type SourceOptions } from "./object-source.js";
import { print, tell } from "./printing.js";

/** What `s3ec audit` is told beside its objects and its key. */
export interface AuditManyOptions extends SourceOptions {
  readonly concurrency?: number;
  readonly suffix?: string;
  readonly messages?: boolean;
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly summary?: boolean;
}

/** Audits, prints what is found as it comes, then what it comes to; returns the exit code. */
export async function auditMany(
  client: S3Client,
  address: ObjectAddress,
  options: AuditManyOptions,
  asked: AskedKey | undefined,
  signal: AbortSignal,
): Promise<number> {
  const format: AuditFormat = options.json === true ? "json" : options.csv === true ? "csv" : "table";
  const isShown = options.summary !== true;
  const totals = new AuditTotals();
  const head = headOf(format, asked !== undefined);
  if (isShown && head !== undefined) await print(head);
  const results = await resultsOf(client, address, options, asked, signal);
  let next = await results.next();
  for (; next.done !== true; next = await results.next()) {
    totals.add(next.value);
    if (isShown) await print(lineOf(format, next.value));
  }
  const coverage = next.value;
  const answer = asked === undefined ? undefined : keyAnswer(asked.name, totals, coverage);
  if (format === "json") {
    await print(JSON.stringify({ totals, ...(answer === undefined ? {} : { keyOf: answer }) }));
  } else {
    const words = [...totalsIn(totals), ...(answer === undefined ? [] : answerIn(answer, totals))].join("\n");
    // Whatever reads the CSV is to read nothing else.
    await (format === "csv" ? tell(words) : print(isShown ? `\n${words}` : words));
  }
  if (answer?.answer === "needed") return EXIT_CODES.open;
  if (answer?.answer === "not-in-this-list") return EXIT_CODES.partial;
  const isOpen = (totals.byState.get("unknown")?.objects ?? 0) > 0;
  return answer === undefined && isOpen ? EXIT_CODES.open : EXIT_CODES.ok;
}

/** Only a live listing tells whether it is whole. */
async function resultsOf(
  client: S3Client,
  { Bucket, Key }: ObjectAddress,
  options: AuditManyOptions,
  asked: AskedKey | undefined,
  abortSignal: AbortSignal,
): Promise<AsyncGenerator<AuditedObject, AuditCoverage | undefined>> {
  const audit = {
    Bucket,
    abortSignal,
    ...(asked === undefined ? {} : { keyQuestion: asked.question }),
    ...(options.messages === undefined ? {} : { messages: options.messages }),
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
    ...(options.suffix === undefined ? {} : { instructionFileSuffixes: [options.suffix] }),
  };
  if (options.recursive === true) {
    const filter = await filterOf(options);
    const listed = { Prefix: Key, versions: options.versions === true };
    return auditBucket(client, { ...audit, ...listed, ...(filter === undefined ? {} : { filter }) });
  }
  const { objects, areFilesListed } = await objectSource(client, { Bucket, Key }, options, abortSignal);
  return auditObjects(client, objects, { ...audit, areFilesListed });
}
