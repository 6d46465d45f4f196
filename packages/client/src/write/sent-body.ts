import { isNodeStream, quiet } from "../streams.js";

/**
 * The SDK pipes a stream body into the request, maybe through a stream of its own, and listens to the errors of neither:
 * a body that fails would end the process, and its request would wait for the rest for ever. Here a failing body
 * destroys the request with its error, which is what the caller then gets.
 */
export function failWithBody(input: object, request: unknown): void {
  const source: unknown = Reflect.get(input, "Body");
  if (!isNodeStream(source) || typeof request !== "object" || request === null) return;
  const sent: unknown = Reflect.get(request, "body");
  if (!isNodeStream(sent)) return;
  const pipe = sent.pipe;
  // It may fail before it is piped, while S3 is asked whether it wants the body (Expect: 100-continue).
  for (const stream of [source, sent]) quiet(stream);
  sent.pipe = function pipeOrFail(destination, options) {
    const fail = (error: Error): void => {
      if ("destroy" in destination && typeof destination.destroy === "function") destination.destroy(error);
    };
    if (source.errored) fail(source.errored);
    source.once("error", fail);
    return pipe.call(sent, destination, options) as typeof destination;
  };
}
