import type { ObjectVerification, VerifyState } from "./verify-objects.js";

/** What a verification comes to. */
export class VerifyTotals {
  readonly #byState = new Map<VerifyState, { readonly objects: number; readonly bytes: number }>();

  /** Counts one result. */
  add({ state, length = 0 }: ObjectVerification): void {
    const { objects, bytes } = this.#byState.get(state) ?? { objects: 0, bytes: 0 };
    this.#byState.set(state, { objects: objects + 1, bytes: bytes + length });
  }

  /** Objects, and bytes of their plaintext, by what came of them. */
  get byState(): ReadonlyMap<VerifyState, { readonly objects: number; readonly bytes: number }> {
    return this.#byState;
  }

  /** Whether there is nothing that could not be read. */
  get isAllRead(): boolean {
    return !this.#byState.has("failed") && !this.#byState.has("unknown");
  }

  /** The same as a plain object, for JSON. */
  toJSON(): Readonly<Record<string, unknown>> {
    return { byState: Object.fromEntries(this.#byState) };
  }
}
