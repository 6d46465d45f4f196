/** OpenSSL is fastest in pieces that fit the cache. */
const PIECE = 256 * 1024;

/**
 * Starts reading at once, whether or not anyone asks yet, into a buffer that has room for all of it, and gives out what
 * has come: views of the buffer. An error comes after what came before it.
 *
 * Copying into a buffer that is used again costs less than leaving a network's small ones to the garbage collector, for
 * which they are old by the time it is their turn.
 */
export function readAhead(source: AsyncIterable<Uint8Array>, buffer: Uint8Array): AsyncGenerator<Uint8Array> {
  let filled = 0;
  let wake = (): void => {};
  let outcome: { readonly error?: unknown } | undefined;
  const read = async (): Promise<void> => {
    try {
      for await (const chunk of source) {
        buffer.set(chunk, filled);
        filled += chunk.length;
        wake();
      }
      outcome = {};
    } catch (error) {
      outcome = { error };
    }
    wake();
  };
  void read();
  return (async function* () {
    for (let given = 0; ; ) {
      const piece = buffer.subarray(given, Math.min(filled, given + PIECE));
      given += piece.length;
      if (piece.length > 0) yield piece;
      else if (outcome === undefined) await new Promise<void>((arrived) => (wake = arrived));
      else if ("error" in outcome) throw outcome.error;
      else return;
    }
  })();
}
