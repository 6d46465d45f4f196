import type { KeyObject } from "node:crypto";
import { S3Format, type S3FormatOptions } from "@s3ec/format-s3";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { DefaultMaterialsManager, type MaterialsManager, type ObjectInParts, type SiblingFile } from "@s3ec/materials";
import { refusal, refused } from "@s3ec/test-support";
import { expect } from "chai";
import { CONTENT, Counting, type Metadata, opened, plaintextFrom, requestOf } from "./objects.js";

const SECRET = Buffer.alloc(32, 7);
const IN_FILE = { instructionFileConfig: { enableInstructionFilePutObject: true } };

describe("an object that is sealed in parts", () => {
  const keyring = new Counting();

  async function begun(format: "V2" | "V3" = "V3", options: S3FormatOptions = {}, more: object = {}) {
    const object = await new S3Format(options).sealInParts?.({ ...requestOf(keyring, format), ...more });
    if (object === undefined) throw new Error("it seals in parts");
    return object;
  }

  async function resumed(
    { metadata, files }: { readonly metadata: Metadata; readonly files: readonly SiblingFile[] },
    format: "V2" | "V3" = "V3",
    options: S3FormatOptions = {},
    more: object = {},
  ): Promise<ObjectInParts> {
    const request = { ...requestOf(keyring, format), metadata, files, ...more };
    const object = await new S3Format(options).resumeInParts?.(request);
    if (object === undefined) throw new Error("it goes on with parts");
    return object;
  }

  const stateKey = (object: ObjectInParts): string => object.stateKey(SECRET).export().toString("hex");

  for (const format of ["V2", "V3"] as const) {
    for (const [where, options] of [
      ["metadata", {}],
      ["an instruction file", IN_FILE],
    ] as const) {
      it(`is gone on with by another process, under the same keys (G7): ${format}, in ${where}`, async () => {
        const { metadata, parts, siblings, ...first } = await begun(format, options);
        expect(first.isResumable).to.equal(true);
        const head = parts.seal(0, CONTENT.subarray(0, 512)).ciphertext;
        const second = await resumed({ metadata, files: siblings.files }, format, options);
        expect(second.isResumable).to.equal(true);
        expect(second.metadata).to.deep.equal(metadata);
        expect(second.siblings.mark).to.equal(siblings.mark);
        expect(stateKey(second)).to.equal(stateKey(first as ObjectInParts));
        expect(stateKey(second)).to.not.equal(stateKey(await begun(format, options)));
        expect(second.parts.seal(0, CONTENT.subarray(0, 512)).ciphertext).to.deep.equal(head);
        const tail = second.parts.seal(512, CONTENT.subarray(512)).ciphertext;
        const body = Buffer.concat([head, tail, second.parts.close()]);
        const files = Object.fromEntries(siblings.files.map((file) => [file.suffix, file.body]));
        expect(await plaintextFrom(await opened(keyring, metadata, {}, { files }), body)).to.deep.equal(CONTENT);
      });
    }

    it(`is not gone on with in the place of one in another format, before a key is used (G7): ${format}`, async () => {
      const { metadata, siblings } = await begun(format);
      const before = keyring.unwraps;
      const other = format === "V2" ? "V3" : "V2";
      await refusal("malformed-envelope", resumed({ metadata, files: siblings.files }, other));
      expect(keyring.unwraps).to.equal(before);
    });
  }

  it("is not gone on with in format V1, nor without its wrapped key (G7)", async () => {
    const { metadata } = await begun("V2");
    const v1 = {
      "x-amz-key": metadata["x-amz-key-v2"] ?? "",
      "x-amz-iv": metadata["x-amz-iv"] ?? "",
      "x-amz-matdesc": "{}",
    };
    await refusal("malformed-envelope", resumed({ metadata: v1, files: [] }, "V2"));
    const { metadata: bare } = await begun("V3", IN_FILE);
    await refusal("malformed-envelope", resumed({ metadata: bare, files: [] }, "V3", IN_FILE));
  });

  it("states no length that it was not told", async () => {
    const format = new S3Format();
    const plaintext = (async function* () {
      yield CONTENT;
    })();
    expect((await format.seal({ ...requestOf(keyring), plaintext })).length).to.equal(undefined);
  });

  it("cannot be gone on with where a wrapped key is in an annotation, which no state keeps", async () => {
    const child = { keyring: new Counting(), instructionFileSuffix: ".escrow" };
    const materialsManager = new DefaultMaterialsManager(new MultiKeyring({ generator: keyring, children: [child] }));
    const annotated = await begun("V3", { wrapPlacement: "annotations" }, { materialsManager });
    expect(annotated.siblings.annotations).to.have.length(1);
    expect(annotated.isResumable).to.equal(false);
    expect((await begun("V3", {}, { materialsManager })).isResumable).to.equal(true);
  });

  it("cannot be gone on with where its manager unwraps nothing that it wraps", async () => {
    const own = new DefaultMaterialsManager(keyring);
    const writesOnly: MaterialsManager = {
      wrapAlgorithms: [],
      getEncryptionMaterials: (request) => own.getEncryptionMaterials(request),
      getDecryptionMaterials: (request) => own.getDecryptionMaterials(request),
    };
    expect((await begun("V3", {}, { materialsManager: writesOnly })).isResumable).to.equal(false);
  });

  it("has its data key forgotten once it has died, also when it was gone on with (G11)", async () => {
    const forgotten: KeyObject[] = [];
    const materialsManager = Object.assign(new DefaultMaterialsManager(keyring), {
      forget: (dataKey: KeyObject) => forgotten.push(dataKey),
    });
    const { metadata, parts, siblings } = await begun("V3", {}, { materialsManager });
    const second = await resumed({ metadata, files: siblings.files }, "V3", {}, { materialsManager });
    for (const each of [parts, second.parts]) {
      each.seal(0, CONTENT);
      expect(forgotten.splice(0)).to.deep.equal([]);
      refused("content-mismatch", () => each.seal(0, CONTENT));
      expect(forgotten.splice(0)).to.have.length(1);
    }
  });

  it("is not gone on with by a keyring that discovers keys, before it is asked (G7)", async () => {
    const { metadata, siblings } = await begun();
    const discovering = Object.assign(Object.create(keyring) as Counting, { discoversKeys: true });
    const materialsManager = new DefaultMaterialsManager(discovering);
    const before = keyring.unwraps;
    const object = { metadata, files: siblings.files };
    await refusal("unsupported-operation", resumed(object, "V3", {}, { materialsManager }));
    expect(keyring.unwraps).to.equal(before);
  });
});
