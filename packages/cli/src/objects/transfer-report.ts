import { printable } from "@s3ec/envelope";
import { codeOf, reportOf } from "../error-report.js";
import { EXIT_CODES } from "../exit-codes.js";
import { printLine } from "../json/json-output.js";
import { print, tell } from "../printing.js";
import type { PlainOutcome } from "./transfer-context.js";
import { TransferProgress } from "./transfer-progress.js";

/** How much is said. */
export interface ReportOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly onlyShowErrors?: boolean;
  readonly verbose?: boolean;
  readonly progress?: boolean;
  readonly dryrun?: boolean;
}

type Operation = "upload" | "download" | "copy" | "move" | "delete";

/** What is done with one: as it is printed. */
export interface Step {
  readonly operation: Operation;
  readonly from: string;
  readonly to?: string;
}

/** What has come of one that was done. */
export interface StepDone {
  /** Bytes of plaintext, or as stored of what is copied. */
  readonly bytes?: number;
  readonly etag?: string;
  readonly versionId?: string;
  /** It was not encrypted. */
  readonly plain?: PlainOutcome;
  /** For `--verbose`, a line each. */
  readonly details?: readonly string[];
}

export type SkipReason = "there" | "plain" | "unread" | "needed" | "linked";

const SKIPPED: Readonly<Record<SkipReason, string>> = {
  there: "It is there already.",
  plain: "It is not encrypted.",
  unread: "",
  linked: "It is behind a link to a folder: delete it there.",
  needed: "It may be an instruction file of an object that stays.",
};

/** Says what is done, as `aws s3` or in JSON, and counts. */
export class TransferReport {
  readonly progress: TransferProgress;
  readonly #options: ReportOptions;
  readonly #counts = { done: 0, failed: 0, skipped: 0, plain: 0, unread: 0, bytes: 0 };
  #first: unknown;

  constructor(options: ReportOptions) {
    this.#options = options;
    const { progress = true, quiet = false, onlyShowErrors = false } = options;
    this.progress = new TransferProgress(progress && !quiet && !onlyShowErrors ? process.stderr : undefined);
  }

  /** What was done, or would be. */
  get countDone(): number {
    return this.#counts.done;
  }

  get failed(): number {
    return this.#counts.failed;
  }

  /** What could not be read of the source, so that it is not known to be whole. */
  get unread(): number {
    return this.#counts.unread;
  }

  async done(step: Step, result: StepDone): Promise<void> {
    const { dryrun = false } = this.#options;
    this.#counts.done += 1;
    this.#counts.bytes += result.bytes ?? 0;
    if (result.plain !== undefined) this.#counts.plain += 1;
    const { details = [], ...told } = result;
    if (this.#isJson) return await this.#json({ ...step, state: dryrun ? "dryrun" : "done", ...told }, false);
    const plain = result.plain === undefined ? "" : result.plain === "copied" ? " (not encrypted)" : " (encrypted now)";
    await this.#line(`${dryrun ? "(dryrun) " : ""}${lineOf(step)}${plain}`);
    if (this.#options.verbose === true) for (const detail of details) await this.#error(`  ${printable(detail)}`);
  }

  async fail(step: Step, error: unknown): Promise<void> {
    this.#counts.failed += 1;
    this.#first ??= error;
    const { message = "An unknown error happened." } = reportOf(error);
    if (this.#isJson) await this.#json({ ...step, state: "failed", code: codeOf(error), problem: message });
    // It may hold a key, which its writer chose: a line of its own could be taken for another's.
    else await this.#error(`${lineOf(step, " failed")} ${printable(message)}`);
    if (this.#options.verbose !== true) return;
    const { causesOf } = await import("../causes.js");
    for (const line of causesOf(error)) await this.#error(`  ${printable(line)}`);
  }

  /** What is left as it is, and why, which `problem` says where the reason does not. */
  async skipped(step: Step, reason: SkipReason, problem: string = SKIPPED[reason]): Promise<void> {
    this.#counts.skipped += 1;
    if (reason === "plain") this.#counts.plain += 1;
    if (reason === "unread") this.#counts.unread += 1;
    // As `aws`, which warns of what it cannot read, and says nothing of what is there.
    if (this.#isJson) return await this.#json({ ...step, state: "skipped", reason, problem }, reason !== "there");
    if (reason !== "there") await this.#error(`warning: Skipping ${printable(step.from)}. ${printable(problem)}`);
    else if (this.#options.verbose === true) await this.#error(`skip: ${printable(step.from)} ${printable(problem)}`);
  }

  /** A sentence about all of it. */
  async say(sentence: string): Promise<void> {
    await this.#error(`s3ec: ${sentence}`);
  }

  /** Does the work, and says what it comes to also where it breaks off; returns the exit code. */
  async of(work: () => Promise<void>, isMany: boolean): Promise<number> {
    try {
      await work();
    } catch (error) {
      await this.end(isMany);
      throw error;
    }
    return await this.end(isMany);
  }

  /** Says what it comes to; returns the exit code. */
  async end(isMany: boolean): Promise<number> {
    this.progress.clear();
    const { done, failed, skipped, plain, unread, bytes } = this.#counts;
    if (this.#isJson) await this.#json({ totals: { done, failed, skipped, plain, bytes } });
    if (plain > 0 && isMany) await this.say(`${plain} ${plain === 1 ? "object was" : "objects were"} not encrypted.`);
    if (failed > 0 && isMany) await this.say(`${failed} of ${done + failed} failed.`);
    if (!isMany && this.#first !== undefined) return reportOf(this.#first).exitCode;
    return failed > 0 || unread > 0 ? EXIT_CODES.open : EXIT_CODES.ok;
  }

  get #isJson(): boolean {
    return this.#options.json === true;
  }

  /** @param isError whether it is told also where only errors are */
  async #json(entry: object, isError = true): Promise<void> {
    if (this.#options.quiet === true) return;
    this.progress.clear();
    if (this.#options.onlyShowErrors !== true || isError) await printLine(entry);
  }

  async #line(text: string): Promise<void> {
    if (this.#options.quiet === true || this.#options.onlyShowErrors === true) return;
    this.progress.clear();
    await print(text);
  }

  async #error(text: string): Promise<void> {
    if (this.#options.quiet === true) return;
    this.progress.clear();
    await tell(text);
  }
}

function lineOf({ operation, from, to }: Step, how = ""): string {
  return `${operation}${how}: ${printable(to === undefined ? from : `${from} to ${to}`)}`;
}
