import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { PutObjectCommand } from "@aws-sdk/client-s3";
import type { S3EncryptionClient } from "@s3ec/client";
import { expect } from "chai";
import { openFile } from "../dist/byte-source.js";
import { upload } from "../dist/upload.js";
import { temporaryFolder } from "./command.js";

const PIECE = 256 * 1024;
/** Longer than the time in which a file system notes no second change. */
const NOTED = 30;

describe("a file that is written to while it is read", () => {
  let temporary: ReturnType<typeof temporaryFolder>;
  let path: string;
  beforeEach(() => {
    temporary = temporaryFolder();
    path = join(temporary.folder, "file");
  });
  afterEach(() => temporary.remove());

  const options = { call: {}, signal: new AbortController().signal, onProgress: () => {} };

  /** Takes a body as S3 would, and does something after its first piece. */
  function taking(meanwhile: () => void): { readonly client: S3EncryptionClient; readonly taken: () => number } {
    let length = 0;
    const send = async ({ input: { Body } }: PutObjectCommand): Promise<object> => {
      if (Body instanceof Uint8Array) length = Body.length;
      else {
        for await (const piece of Body as AsyncIterable<Uint8Array>) {
          if (length === 0) meanwhile();
          length += piece.length;
        }
      }
      return {};
    };
    return { client: { send } as unknown as S3EncryptionClient, taken: () => length };
  }

  for (const [how, size] of [
    ["at once", 1000],
    ["in pieces", 1024 * 1024 + 1],
  ] as const) {
    it(`is not stored, and its last piece not sent, when it is read ${how}`, async () => {
      writeFileSync(path, Buffer.alloc(size, 1));
      await setTimeout(NOTED);
      const source = await openFile(path);
      const rewrite = (): void => writeFileSync(path, Buffer.alloc(size, 2));
      if (size < PIECE) rewrite();
      const { client, taken } = taking(rewrite);
      const error = await upload(client, source, { Bucket: "b", Key: "k" }, options).catch((thrown: unknown) => thrown);
      expect(error).to.have.property("code", "content-mismatch");
      expect(error).to.have.property("message", `${path} changed while it was read: put it again.`);
      expect(taken()).to.be.lessThan(size);
      expect(readFileSync(path)[0]).to.equal(2);
    });

    it(`is stored where nobody does, when it is read ${how}`, async () => {
      writeFileSync(path, Buffer.alloc(size, 1));
      const { client, taken } = taking(() => readFileSync(path));
      expect(await upload(client, await openFile(path), { Bucket: "b", Key: "k" }, options)).to.include({
        length: size,
      });
      expect(taken()).to.equal(size);
    });
  }
});
