/**
 * What was loaded the first time, for every time: asking the loader of modules again takes longer than many of the steps
 * that a small object goes through. What could not be loaded, such as for too many open files, is tried again.
 */
export function once<Loaded>(load: () => Promise<Loaded>): () => Promise<Loaded> {
  let loaded: Promise<Loaded> | undefined;
  return () => {
    loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}
