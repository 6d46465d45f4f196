import type { AnnotationReader } from "@s3ec/materials";

/**
 * The annotations of an object, and those that are still to be put back to it after it was copied in parts (docs/formats.md 1.6).
 * Both count alike: by what they hold.
 */
export function withCarried(
  annotations: AnnotationReader,
  readCarried: () => Promise<ReadonlyMap<string, string>>,
): AnnotationReader {
  let carried: Promise<ReadonlyMap<string, string>> | undefined;
  const texts = (): Promise<ReadonlyMap<string, string>> => {
    carried ??= readCarried();
    return carried;
  };
  return {
    list: async (prefix) => {
      const listed = await annotations.list(prefix);
      const there = new Set(listed.map(({ name }) => name));
      const missing = [...(await texts())].filter(([name]) => name.startsWith(prefix) && !there.has(name));
      return [...listed, ...missing.map(([name, text]) => ({ name, size: Buffer.byteLength(text) }))];
    },
    read: async (name) => (await annotations.read(name)) ?? (await texts()).get(name),
  };
}

/** Whether an object was stored in parts, as its entity tag tells: only such a one can have annotations that are carried. */
export function isOfParts(etag: string | undefined): boolean {
  return /-\d+"?$/.test(etag ?? "");
}
