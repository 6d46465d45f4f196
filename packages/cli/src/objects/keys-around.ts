/**
 * Of keys that come in S3's order, those that the last one begins with. Between a key and another that begins with it come
 * only such that begin with it, too: so that no more than those have to be remembered.
 */
export class KeysAround {
  readonly #around: string[] = [];

  /**
   * Those of the keys before that this one begins with, the longest first.
   *
   * @param isKept whether keys that come may begin with this one
   */
  next(key: string, isKept = true): readonly string[] {
    for (let last = this.#around.at(-1); last !== undefined && !key.startsWith(last); last = this.#around.at(-1)) {
      this.#around.pop();
    }
    const found = [...this.#around].reverse();
    if (isKept) this.#around.push(key);
    return found;
  }
}
