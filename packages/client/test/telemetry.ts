import { context, type Tracer } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";

/** OpenTelemetry's own SDK, which keeps what it is told. */
export class Tracing {
  readonly tracer: Tracer;
  readonly #exporter = new InMemorySpanExporter();
  readonly #contexts: AsyncLocalStorageContextManager = new AsyncLocalStorageContextManager().enable();

  constructor() {
    context.setGlobalContextManager(this.#contexts);
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.#exporter)] });
    this.tracer = provider.getTracer("test");
  }

  /** The spans that have ended, in the order of their ends. */
  get ended(): readonly ReadableSpan[] {
    return this.#exporter.getFinishedSpans();
  }

  /** Does the work while the caller's own span is active. */
  async below<T>(name: string, work: () => Promise<T>): Promise<T> {
    return await this.tracer.startActiveSpan(name, async (span) => {
      try {
        return await work();
      } finally {
        span.end();
      }
    });
  }

  /** Those that have ended, each with the names of all that it is below: `caller/s3ec.open/s3ec.unwrap`. */
  paths(): string[] {
    const byId = new Map(this.ended.map((span) => [span.spanContext().spanId, span]));
    const pathOf = (span: ReadableSpan): string => {
      const parent = byId.get(span.parentSpanContext?.spanId ?? "");
      return parent === undefined ? span.name : `${pathOf(parent)}/${span.name}`;
    };
    return this.ended.map(pathOf).sort();
  }

  /** The only one of that name. */
  span(name: string): ReadableSpan {
    const [span, ...others] = this.ended.filter((each) => each.name === name);
    if (span === undefined || others.length > 0) throw new Error(`Not one span ${name}: ${this.paths().join(", ")}.`);
    return span;
  }

  reset(): void {
    this.#exporter.reset();
  }

  end(): void {
    context.disable();
    this.#contexts.disable();
  }
}

/** What a logger was told, as the SDK's clients take one. */
export class Lines {
  readonly all: { readonly level: string; readonly entry: unknown }[] = [];
  readonly logger = {
    debug: (entry: unknown) => void this.all.push({ level: "debug", entry }),
    info: (entry: unknown) => void this.all.push({ level: "info", entry }),
    warn: (entry: unknown) => void this.all.push({ level: "warn", entry }),
    error: (entry: unknown) => void this.all.push({ level: "error", entry }),
  };

  /** Those that are not the SDK's, with their level in front. */
  get ours(): Record<string, unknown>[] {
    return this.all.flatMap(({ level, entry }) => (isOurs(entry) ? [{ level, ...entry }] : []));
  }

  clear(): void {
    this.all.length = 0;
  }
}

function isOurs(entry: unknown): entry is Record<string, unknown> {
  if (typeof entry !== "object" || entry === null) return false;
  const message: unknown = Reflect.get(entry, "message");
  return typeof message === "string" && message.startsWith("s3ec.");
}
