import type { S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { NOTHING } from "../streams.js";
import { errorTypeOf } from "./error-type.js";
import type { StepAttributes, StepSpan, StepTracer } from "./tracer.js";

/** Our own steps; docs/observability.md says what each of them is. */
export type StepName =
  | "s3ec.wrap"
  | "s3ec.open"
  | "s3ec.unwrap"
  | "s3ec.verify"
  | "s3ec.spool"
  | "s3ec.decrypt"
  | "s3ec.retry";

/** Which object it is about: for log lines only. Spans have it from the SDK's instrumentation, above them. */
export interface LoggedNames {
  readonly commandName?: string | undefined;
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
}

type Logger = NonNullable<S3Client["config"]["logger"]>;

/** Where the SDK keeps a client's logger; one that is set later is heard, too. */
interface Heard {
  readonly config: { readonly logger?: Logger | undefined };
}

const NO_CLIENT: Heard = { config: {} };

/** The logger that a client was given. The SDK puts one that does nothing into the place of none. */
function loggerOf({ config: { logger } }: Heard): Logger | undefined {
  return isNoLogger(logger) ? undefined : logger;
}

const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

/**
 * Whether nobody hears it: there is none, or all that it has is empty. The SDK tells its own by the name of its class, which a
 * minified bundle has shortened; that its methods do nothing stands there still.
 */
export function isNoLogger(logger: Logger | undefined): boolean {
  if (logger === undefined || logger.constructor?.name === "NoOpLogger") return true;
  return LEVELS.every((level) => {
    const method: unknown = Reflect.get(logger, level);
    return (
      method === undefined || (typeof method === "function" && EMPTY.test(Function.prototype.toString.call(method)))
    );
  });
}

/** The source of `debug() {}`, or of a function or an arrow of that kind. What is bound, wrapped or spied on has another. */
const EMPTY = /^[\w\s$]*\([\w\s$,.]*\)\s*(?:=>\s*)?\{\s*\}$/;

/** Refusals that were told: one that fails a body fails what reads the body, too. */
const TOLD = new WeakSet<S3EncryptionError>();

/** Whatever a tracer or a logger fails with: what it was told of goes on, or fails with its own error. */
function tell(whom: () => unknown): void {
  try {
    const answer = whom();
    if (answer instanceof Promise) answer.catch(NOTHING);
  } catch {}
}

/**
 * Who is told what is done: a tracer, by spans, and the client's logger, by lines. Every name and number that leaves here is of
 * the kinds that `StepAttributes` are made of in this package: never a key, a context, a description, or content.
 */
export class Telemetry {
  readonly #tracer: StepTracer | undefined;
  readonly #client: Heard;
  readonly #names: LoggedNames;

  constructor(tracer: StepTracer | undefined, client: Heard = NO_CLIENT, names: LoggedNames = {}) {
    this.#tracer = tracer;
    this.#client = client;
    this.#names = names;
  }

  /** The same, heard by the client's logger, too. */
  heardBy(client: S3Client): Telemetry {
    return new Telemetry(this.#tracer, client, this.#names);
  }

  /** The same, whose lines name a command and its object. */
  of(commandName: string | undefined, input: object): Telemetry {
    if (this.isSilent) return this;
    const [bucket, key] = [textOf(input, "Bucket"), textOf(input, "Key")];
    return new Telemetry(this.#tracer, this.#client, { commandName, bucket, key });
  }

  /** Whether nobody is told. */
  get isSilent(): boolean {
    return this.#tracer === undefined && loggerOf(this.#client) === undefined;
  }

  /** Does a step: what others do meanwhile, such as a call of KMS, is below its span. */
  async step<T>(
    name: StepName,
    attributes: StepAttributes,
    work: (step: RunningStep) => Promise<T>,
    names: LoggedNames = {},
  ): Promise<T> {
    if (this.isSilent) return await work(UNHEARD);
    const run = async (span: StepSpan | undefined): Promise<T> => {
      const step = this.#running(name, attributes, span, names);
      try {
        const result = await work(step);
        step.end();
        return result;
      } catch (error) {
        step.fail(error);
        throw error;
      }
    };
    const tracer = this.#tracer;
    if (tracer === undefined) return await run(undefined);
    // Done once, and waited for here: whatever a tracer does with it, nothing is proven by its word.
    let done: Promise<T> | undefined;
    const once = (span: StepSpan): Promise<T> => {
      done ??= run(span);
      return done;
    };
    tell(() => tracer.startActiveSpan(name, { attributes }, once));
    done ??= run(undefined);
    return await done;
  }

  /** Begins a step that somebody else ends. */
  begin(name: StepName, attributes: StepAttributes = {}): RunningStep {
    let span: StepSpan | undefined;
    tell(() =>
      this.#tracer?.startActiveSpan(name, { attributes }, (started) => {
        span = started;
      }),
    );
    return this.#running(name, attributes, span, {});
  }

  /** Tells that something is asked for once more, and why. */
  retrying(error: unknown): void {
    this.begin("s3ec.retry", { "error.type": errorTypeOf(error) }).end();
  }

  /** Tells what the caller is refused, by its code. Whatever else fails is S3's, or the caller's own. */
  refused(error: unknown): void {
    if (!(error instanceof S3EncryptionError) || TOLD.has(error)) return;
    TOLD.add(error);
    const entry = { message: "s3ec.refused", "error.type": errorTypeOf(error), ...this.#names };
    tell(() => loggerOf(this.#client)?.warn?.(entry));
  }

  /** Does what a caller asked for, and tells if it is refused. */
  async refusing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.refused(error);
      throw error;
    }
  }

  #running(name: StepName, attributes: StepAttributes, span: StepSpan | undefined, names: LoggedNames): RunningStep {
    return new RunningStep(attributes, span, (learned) => {
      tell(() => loggerOf(this.#client)?.debug?.({ message: name, ...learned, ...this.#names, ...names }));
    });
  }
}

/** A step that goes on. However often it is ended, the first time counts. */
export class RunningStep {
  readonly #attributes: StepAttributes;
  readonly #span: StepSpan | undefined;
  readonly #onEnd: (attributes: StepAttributes) => void;
  #isOver = false;

  constructor(attributes: StepAttributes, span: StepSpan | undefined, onEnd: (attributes: StepAttributes) => void) {
    this.#attributes = { ...attributes };
    this.#span = span;
    this.#onEnd = onEnd;
  }

  /** Adds what was found out; undefined is nothing. */
  learn(name: string, value: StepAttributes[string] | undefined): void {
    if (this.#isOver || value === undefined) return;
    this.#attributes[name] = value;
    tell(() => this.#span?.setAttributes({ [name]: value }));
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    tell(() => this.#span?.end());
    this.#onEnd(this.#attributes);
  }

  fail(error: unknown): void {
    if (this.#isOver) return;
    this.learn("error.type", errorTypeOf(error));
    tell(() => this.#span?.setStatus({ code: ERROR }));
    this.end();
  }
}

/** A step that nobody is told of. */
const UNHEARD = new RunningStep({}, undefined, NOTHING);
UNHEARD.end();

/** `SpanStatusCode.ERROR`. */
const ERROR = 2;

function textOf(input: object, name: string): string | undefined {
  const value: unknown = Reflect.get(input, name);
  return typeof value === "string" ? value : undefined;
}
