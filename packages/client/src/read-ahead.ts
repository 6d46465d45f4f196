/**
 * Starts reading at once, whether or not anyone asks yet, and gives out what has come. Holds as much as the source
 * yields before it is asked for; an error comes after what came before it.
 */
export function readAhead(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const queue: Uint8Array[] = [];
  let wake = (): void => {};
  let outcome: { readonly error?: unknown } | undefined;
  const read = async (): Promise<void> => {
    try {
      for await (const chunk of source) {
        queue.push(chunk);
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
    while (true) {
      const chunk = queue.shift();
      if (chunk !== undefined) yield chunk;
      else if (outcome === undefined) await new Promise<void>((arrived) => (wake = arrived));
      else if ("error" in outcome) throw outcome.error;
      else return;
    }
  })();
}
