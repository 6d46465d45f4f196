/** Why there is no key: the end of a sentence, which holds nothing of the key. */
export class KeyProblem extends Error {
  override readonly name = "KeyProblem";
}

/** Runs what a library does with a key; whatever it throws is told in our words, since its own may quote the key. */
export function inOurWords<T>(work: () => T, words: string): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof KeyProblem) throw error;
    throw new KeyProblem(words);
  }
}

/** What is wrong with the content is told after what was expected. */
export async function expecting<T>(expected: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof KeyProblem ? new KeyProblem(`expected ${expected}, but this ${error.message}`) : error;
  }
}
