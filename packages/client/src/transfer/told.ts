/**
 * What a listener throws says nothing of what it was told of: it is an uncaught error of its own, outside, as of an emitter of
 * Node's.
 */
export function told(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
