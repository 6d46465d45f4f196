import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { COMMITTING_GCM } from "@s3ec/envelope";
import {
  decryptionFailed,
  type Inspection,
  isSameWrapAlgorithm,
  NO_SIBLINGS,
  type ObjectFormat,
  type ObjectHead,
  type ObjectToInspect,
  type ObjectToOpen,
  type ObjectToSeal,
  type OpenedObject,
  type OpenedRange,
  type Recognition,
  S3EncryptionError,
  type SealedObject,
} from "@s3ec/materials";

const MAGIC = Buffer.from("BOX1");
const BOX = 1000;
const TAG = 16;
const SUITE = { ...COMMITTING_GCM, name: "TOY", format: "box", storedName: "toy", holdsManyWraps: true };

interface BoxHead extends ObjectHead {
  readonly nonce: Buffer;
  readonly wraps: readonly { readonly name: string; readonly ciphertext: string }[];
}

/** A format as somebody outside might write one: a head with every wrap, then boxes of 1,000 bytes with a tag each. */
export class ToyFormat implements ObjectFormat {
  readonly name = "box";
  readonly provesAll = true;

  assertMayWrite(): void {}

  recognise(): Recognition {
    return "by-body";
  }

  readHead(start: Uint8Array): BoxHead | "incomplete" | null {
    const bytes = Buffer.from(start);
    if (!MAGIC.subarray(0, bytes.length).equals(bytes.subarray(0, MAGIC.length))) return null;
    if (bytes.length < 6) return "incomplete";
    const length = 6 + bytes.readUInt16BE(4);
    if (bytes.length < length) return "incomplete";
    const { nonce, wraps } = JSON.parse(bytes.toString("utf8", 6, length));
    return { length, nonce: Buffer.from(nonce, "base64"), wraps };
  }

  async seal({ plaintext, contentLength, ...request }: ObjectToSeal): Promise<SealedObject> {
    const materials = await request.materialsManager.getEncryptionMaterials({
      ...request,
      suite: SUITE,
      algorithmBinding: SUITE.storedName,
    });
    const nonce = randomBytes(8);
    const wraps = materials.encryptedDataKeys.map(({ wrapAlgorithm: { name }, ciphertext }) => ({
      name,
      ciphertext: Buffer.from(ciphertext).toString("base64"),
    }));
    const text = Buffer.from(JSON.stringify({ nonce: nonce.toString("base64"), wraps }));
    const head = Buffer.concat([MAGIC, Buffer.from([text.length >> 8, text.length & 255]), text]);
    const box = (index: number, last: boolean, bytes: Uint8Array): Buffer => {
      const cipher = createCipheriv("aes-256-gcm", materials.dataKey, ivOf(nonce, index)).setAAD(Buffer.from([+last]));
      return Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
    };
    const boxes = async function* (): AsyncGenerator<Uint8Array> {
      yield head;
      let held = Buffer.alloc(0);
      let index = 0;
      for await (const chunk of plaintext) {
        held = Buffer.concat([held, chunk]);
        for (; held.length > BOX; held = held.subarray(BOX)) yield box(index++, false, held.subarray(0, BOX));
      }
      yield box(index, true, held);
    };
    const length =
      contentLength === undefined
        ? undefined
        : head.length + contentLength + TAG * Math.max(1, Math.ceil(contentLength / BOX));
    return { metadata: {}, ciphertext: boxes(), length, siblings: NO_SIBLINGS };
  }

  async open({ head, ...object }: ObjectToOpen): Promise<OpenedObject> {
    if (head === undefined || !("nonce" in head))
      throw new S3EncryptionError("invalid-argument", "Not a head of mine.");
    const { nonce, wraps, length } = head as BoxHead;
    const { wrapAlgorithms } = object.materialsManager;
    const encryptedDataKeys = wraps.flatMap(({ name, ciphertext }) => {
      const wrapAlgorithm = wrapAlgorithms.find((entry) => entry.name === name);
      return wrapAlgorithm === undefined
        ? []
        : [{ wrapAlgorithm, ciphertext: Buffer.from(ciphertext, "base64"), description: {} }];
    });
    if (
      !encryptedDataKeys.every((key) => wrapAlgorithms.some((entry) => isSameWrapAlgorithm(entry, key.wrapAlgorithm)))
    ) {
      throw decryptionFailed();
    }
    const { dataKey } = await object.materialsManager.getDecryptionMaterials({
      ...object,
      suite: SUITE,
      algorithmBinding: SUITE.storedName,
      encryptedDataKeys,
    });
    const unbox = (index: number, last: boolean, bytes: Uint8Array): Buffer => {
      const decipher = createDecipheriv("aes-256-gcm", dataKey, ivOf(nonce, index)).setAAD(Buffer.from([+last]));
      decipher.setAuthTag(bytes.subarray(-TAG));
      const plaintext = decipher.update(bytes.subarray(0, -TAG));
      try {
        decipher.final();
        return plaintext;
      } catch {
        throw decryptionFailed();
      }
    };
    const decrypt = async function* (
      boxes: AsyncIterable<Uint8Array>,
      index = 0,
      endsThere = true,
    ): AsyncGenerator<Uint8Array> {
      let held = Buffer.alloc(0);
      let at = index;
      for await (const chunk of boxes) {
        held = Buffer.concat([held, chunk]);
        for (; held.length > BOX + TAG; held = held.subarray(BOX + TAG)) {
          yield unbox(at++, false, held.subarray(0, BOX + TAG));
        }
      }
      yield unbox(at, endsThere, held);
    };
    const plaintextLength = (stored: number): number => {
      const body = stored - length;
      return body - TAG * Math.max(1, Math.ceil(body / (BOX + TAG)));
    };
    return {
      proves: "pieces",
      plaintextLength,
      decrypt: (boxes) => decrypt(boxes),
      range(range, stored): OpenedRange | undefined {
        const total = plaintextLength(stored);
        const first = "suffixLength" in range ? Math.max(0, total - range.suffixLength) : range.first;
        const last = "suffixLength" in range ? total - 1 : Math.min(range.last ?? total - 1, total - 1);
        if (first > last) return undefined;
        const [from, to] = [Math.floor(first / BOX), Math.floor(last / BOX)];
        const fetchLast = Math.min(stored, length + (to + 1) * (BOX + TAG)) - 1;
        return {
          fetchFirst: length + from * (BOX + TAG),
          fetchLast,
          first,
          last,
          endsEarlier: false,
          total,
          async *decrypt(boxes) {
            const plaintext: Uint8Array[] = [];
            for await (const piece of decrypt(boxes, from, fetchLast === stored - 1)) plaintext.push(piece);
            yield Buffer.concat(plaintext).subarray(first - from * BOX, last + 1 - from * BOX);
          },
        };
      },
    };
  }

  plaintextLength(): undefined {
    return undefined;
  }

  async inspect({ head, storedLength }: ObjectToInspect): Promise<Inspection & { readonly wraps: readonly string[] }> {
    return { format: "box", storedLength, contentLength: null, wraps: (head as BoxHead).wraps.map(({ name }) => name) };
  }
}

function ivOf(nonce: Buffer, index: number): Buffer {
  const iv = Buffer.alloc(12);
  nonce.copy(iv);
  iv.writeUInt32BE(index, 8);
  return iv;
}
