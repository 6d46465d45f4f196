import type { RunningStep, Telemetry } from "./telemetry.js";

/** Plaintext that is given out while it is decrypted. */
interface GivenOut {
  readonly chunks: AsyncGenerator<Uint8Array>;
  readonly destroy: () => void;
}

/**
 * The same plaintext, whose step lasts until its last byte was given out, it failed, or nobody wants it any more. That it failed
 * is told, since nothing else will: its command was answered before.
 */
export function watchedPlaintext<Plaintext extends GivenOut>(telemetry: Telemetry, plaintext: Plaintext): Plaintext {
  if (telemetry.isSilent) return plaintext;
  const step = telemetry.begin("s3ec.decrypt");
  const given = { length: 0 };
  return {
    ...plaintext,
    chunks: told(plaintext.chunks, telemetry, step, given),
    destroy: () => {
      plaintext.destroy();
      endEarly(step, given);
    },
  };
}

async function* told(
  chunks: AsyncGenerator<Uint8Array>,
  telemetry: Telemetry,
  step: RunningStep,
  given: { length: number },
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of chunks) {
      given.length += chunk.length;
      yield chunk;
    }
    step.learn("s3ec.content_length", given.length);
    step.end();
  } catch (error) {
    step.learn("s3ec.content_length", given.length);
    step.fail(error);
    telemetry.refused(error);
    throw error;
  } finally {
    endEarly(step, given);
  }
}

/** Nothing, where it has ended. */
function endEarly(step: RunningStep, { length }: { readonly length: number }): void {
  step.learn("s3ec.content_length", length);
  step.learn("s3ec.ended_early", true);
  step.end();
}
