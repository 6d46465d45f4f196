/** What a span says of a step: short names and numbers. */
export type StepAttributes = { [name: string]: string | number | boolean | string[] };

/** As much of OpenTelemetry's `Span` as is used. */
export interface StepSpan {
  /** Called with names and numbers. */
  setAttributes(attributes: StepAttributes): unknown;
  /** Called with 2, OpenTelemetry's `ERROR`, for a step that failed; never with a message. */
  setStatus(status: { code: number }): unknown;
  /** Called once. */
  end(): void;
}

/**
 * As much of a `Tracer` of OpenTelemetry's API (`trace.getTracer(name)`) as is used: told by what it can do, so that nothing is
 * loaded for it, and its types are not needed where nobody traces.
 */
export interface StepTracer {
  /** Makes a span that is active, as the parent of others, while `work` goes on. */
  startActiveSpan<Result>(
    name: string,
    options: { attributes?: StepAttributes },
    work: (span: StepSpan) => Result,
  ): Result;
}
