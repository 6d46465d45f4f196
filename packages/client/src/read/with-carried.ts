import { type AnnotationReader, S3EncryptionError } from "@s3ec/materials";

/**
 * Opens an object by its annotations, and by those that are still to be put back to it after it was copied in parts
 * (docs/formats.md 1.6). Both count alike, by what they hold; but the others, which hardly ever are there and cost a request, are
 * asked for only where none opened of those that are with the object.
 */
export async function openWithCarried<Opened>(
  annotations: AnnotationReader,
  readCarried: () => Promise<ReadonlyMap<string, string>>,
  open: (annotations: AnnotationReader) => Promise<Opened>,
): Promise<Opened> {
  const there = new Set<string>();
  let isAsked = false;
  const own: AnnotationReader = {
    list: async (prefix) => {
      isAsked = true;
      const listed = await annotations.list(prefix);
      for (const { name } of listed) there.add(name);
      return listed;
    },
    read: async (name) => {
      isAsked = true;
      const text = await annotations.read(name);
      if (text !== undefined) there.add(name);
      return text;
    },
  };
  try {
    return await open(own);
  } catch (error) {
    if (!isAsked || !(error instanceof S3EncryptionError)) throw error;
    const missing = new Map([...(await readCarried())].filter(([name]) => !there.has(name)));
    if (missing.size === 0) throw error;
    try {
      return await open(readerOf(missing));
    } catch (second) {
      throw second instanceof S3EncryptionError ? error : second;
    }
  }
}

function readerOf(texts: ReadonlyMap<string, string>): AnnotationReader {
  return {
    list: async (prefix) =>
      [...texts]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, text]) => ({ name, size: Buffer.byteLength(text) })),
    read: async (name) => texts.get(name),
  };
}

/** Whether an object was stored in parts, as its entity tag tells: only such a one can have annotations that are carried. */
export function isOfParts(etag: string | undefined): boolean {
  return /-\d+"?$/.test(etag ?? "");
}
