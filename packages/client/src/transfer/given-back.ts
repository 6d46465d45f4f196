/**
 * Gives memory back at once that nobody else reads or writes any more; what viewed it is empty then. Left to itself, V8
 * collects buffers once some 64 MiB of them have gathered. A view of a part of a buffer, whose rest may be somebody
 * else's, is left alone.
 */
export function giveBack(chunks: readonly Uint8Array[]): void {
  const owned = chunks.filter(({ buffer, byteLength }) => byteLength > 0 && byteLength === buffer.byteLength);
  nobody ??= portOfNobody();
  nobody.postMessage(
    undefined,
    owned.map(({ buffer }) => buffer as ArrayBuffer),
  );
}

/** What is transferred to where nobody listens any more is gone. */
let nobody: Port | undefined;

type Port = InstanceType<typeof MessageChannel>["port1"];

function portOfNobody(): Port {
  const { port1 } = new MessageChannel();
  port1.close();
  return port1;
}
