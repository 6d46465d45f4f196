import { Readable } from "node:stream";
import { S3Format, type S3FormatOptions } from "@s3ec/format-s3";
import {
  DefaultMaterialsManager,
  type ObjectToOpen,
  type OpenedObject,
  type SealedObject,
  stringMap,
} from "@s3ec/materials";
import { collect, refusal, refused } from "@s3ec/test-support";
import { expect } from "chai";
import { CONTENT, Counting } from "./objects.js";

describe("S3Format", () => {
  const keyring = new Counting();
  const materialsManager = new DefaultMaterialsManager(keyring);
  const shared = {
    materialsManager,
    commitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
    encryptionContext: stringMap([]),
  } as const;

  async function sealed(
    options: S3FormatOptions = {},
    more: { readonly siblingSuffix?: string; readonly commitmentPolicy?: "FORBID_ENCRYPT_ALLOW_DECRYPT" } = {},
  ): Promise<SealedObject & { readonly body: Buffer }> {
    const plaintext = Readable.from([CONTENT]);
    const object = await new S3Format(options).seal({ ...shared, ...more, plaintext, contentLength: CONTENT.length });
    return { ...object, body: await collect(object.ciphertext) };
  }

  function opened(
    options: S3FormatOptions,
    metadata: Readonly<Record<string, string>>,
    files: Readonly<Record<string, string>> = {},
    more: Partial<ObjectToOpen> = {},
  ): Promise<OpenedObject> {
    const siblings = { read: async (suffix: string) => files[suffix] };
    return new S3Format(options).open({ ...shared, metadata, siblings, ...more });
  }

  it("recognises an object by its metadata, and leaves one without any to a file beside it", async () => {
    const { metadata } = await sealed();
    const format = new S3Format();
    expect(format.recognise(metadata)).to.equal("by-metadata");
    expect(format.recognise({ "X-Amz-Iv": "x" })).to.equal("by-metadata");
    expect(format.recognise({ owner: "somebody" })).to.equal("by-sibling");
  });

  it("seals content in parts, in any order, as in one pass", async () => {
    for (const more of [{}, { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" } as const]) {
      const request = { ...shared, ...more, contentLength: CONTENT.length };
      const object = await new S3Format().sealInParts?.(request);
      if (object === undefined) throw new Error("it seals in parts");
      const { parts, metadata, siblings } = object;
      const [end, start] = [600, 0].map((at) => parts.seal(at, CONTENT.subarray(at, at + 600)).ciphertext);
      const body = Buffer.concat([start ?? CONTENT, end ?? CONTENT, parts.close()]);
      expect(siblings.markOf(metadata)).to.equal(siblings.mark);
      const content = await opened({}, metadata, {}, { commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" });
      expect(await collect(content.decrypt(Readable.from([body])))).to.deep.equal(CONTENT);
    }
  });

  it("refuses what is too large for a suite before a key is asked for, in parts as well", async () => {
    const request = { ...shared, contentLength: 2 ** 36 - 31 };
    await refusal("content-too-large", Promise.resolve(new S3Format().sealInParts?.(request)));
  });

  it("seals and opens, states its length, and proves the whole", async () => {
    const { metadata, body, length, siblings } = await sealed();
    expect(length).to.equal(body.length);
    expect(siblings.files).to.deep.equal([]);
    expect(siblings.markOf(metadata)).to.equal(siblings.mark);
    const object = await opened({}, metadata);
    expect(object.proves).to.equal("whole");
    expect(object.plaintextLength(body.length)).to.equal(CONTENT.length);
    expect(new S3Format().plaintextLength(metadata, body.length)).to.equal(CONTENT.length);
    expect((await collect(object.decrypt(Readable.from([body])))).equals(CONTENT)).to.equal(true);
    const proof = object.proof?.(false);
    proof?.add(body);
    expect(proof?.prove().length).to.equal(CONTENT.length);
  });

  it("puts the wrapped key into a file where it is told to, and finds it there", async () => {
    const config = { instructionFileConfig: { enableInstructionFilePutObject: true } };
    const { metadata, siblings, body } = await sealed(config);
    expect(siblings.files.map(({ suffix }) => suffix)).to.deep.equal([".instruction"]);
    expect(siblings.first).to.equal(true);
    expect(siblings.standsAlone(metadata)).to.equal(false);
    const [file = { body: "", metadata: {} }] = siblings.files;
    expect(siblings.fileMarkOf(file.metadata)).to.equal(siblings.mark);
    const object = await opened({}, metadata, { ".instruction": file.body });
    expect((await collect(object.decrypt(Readable.from([body])))).equals(CONTENT)).to.equal(true);
    expect((await refusal("not-encrypted", opened({}, metadata))).message).to.contain("instructionFileSuffix");
    const disabled = { instructionFileConfig: { disableInstructionFile: true } };
    await refusal("not-encrypted", opened(disabled, metadata, { ".instruction": file.body }));
  });

  it("asks for the file that a call names and no other, and for the client's before the metadata", async () => {
    const escrow = await sealed({}, { siblingSuffix: ".escrow" });
    const [file = { body: "" }] = escrow.siblings.files;
    const asked: string[] = [];
    const siblings = {
      read: async (suffix: string) => {
        asked.push(suffix);
        return suffix === ".escrow" ? file.body : undefined;
      },
    };
    await opened({}, escrow.metadata, {}, { siblings, siblingSuffix: ".escrow" });
    expect(asked.splice(0)).to.deep.equal([".escrow"]);
    await opened({ instructionFileConfig: { suffix: ".escrow" } }, escrow.metadata, {}, { siblings });
    expect(asked.splice(0)).to.deep.equal([".escrow"]);
    const whole = await sealed();
    await opened({ instructionFileConfig: { suffix: ".other" } }, whole.metadata, {}, { siblings });
    expect(asked.splice(0)).to.deep.equal([".other"]);
    await opened({}, whole.metadata, {}, { siblings });
    expect(asked).to.deep.equal([]);
  });

  it("refuses a range, and an object for a range, before a key is used (S6, S12)", async () => {
    const { metadata, body } = await sealed();
    const before = keyring.unwraps;
    refused("legacy-disabled", () => new S3Format().rangeToFetch({ first: 0, last: 9 }));
    await refusal("legacy-disabled", opened({}, metadata, {}, { partial: true }));
    expect(keyring.unwraps).to.equal(before);
    const options = { enableLegacyUnauthenticatedModes: true };
    expect(new S3Format(options).provesAll).to.equal(false);
    expect(new S3Format().provesAll).to.equal(true);
    expect(new S3Format(options).rangeToFetch({ first: 100, last: 199 })).to.equal("bytes=80-231");
    expect(new S3Format(options).rangeToFetch({ first: 5 })).to.equal("bytes=0-");
    expect(new S3Format(options).rangeToFetch({ suffixLength: 10 })).to.equal("bytes=-58");
    const range = (await opened(options, metadata, {}, { partial: true })).range(
      { first: 100, last: 199 },
      body.length,
    );
    expect(range).to.include({ first: 100, last: 199, total: CONTENT.length, endsEarlier: false });
    const fetched = Readable.from([body.subarray(range?.fetchFirst, (range?.fetchLast ?? 0) + 1)]);
    const plaintext = await collect(range?.decrypt(fetched) ?? Readable.from([]));
    expect(plaintext.equals(CONTENT.subarray(100, 200))).to.equal(true);
  });

  it("writes what the policy asks for, and says at once what it never may", () => {
    const [gcm, strict] = ["ALG_AES_256_GCM_IV12_TAG16_NO_KDF", "REQUIRE_ENCRYPT_REQUIRE_DECRYPT"] as const;
    expect(() => new S3Format().assertMayWrite(strict)).to.not.throw();
    expect(() => new S3Format().assertMayWrite("FORBID_ENCRYPT_ALLOW_DECRYPT")).to.not.throw();
    refused("commitment-policy", () => new S3Format({ encryptionAlgorithm: gcm }).assertMayWrite(strict));
    const cbc = { encryptionAlgorithm: "ALG_AES_256_CBC_IV16_NO_KDF" } as const;
    refused("invalid-configuration", () => new S3Format(cbc).assertMayWrite(strict));
  });

  const wrong: Record<string, unknown>[] = [
    { enableLegacyWrappingAlgorithms: "false" },
    { wrapPlacement: "annotation" },
    { instructionFileConfig: { suffix: "" } },
    { instructionFileConfig: { suffx: ".a" } },
    { instructionFileConfig: { enableInstructionFilePutObject: true, disableInstructionFile: true } },
    { enableLegacyWraps: true },
  ];
  for (const options of wrong) {
    it(`refuses the options ${JSON.stringify(options)}`, () => {
      refused("invalid-configuration", () => new S3Format(options as S3FormatOptions));
    });
  }

  describe("of the files beside its objects", () => {
    const { siblings } = new S3Format({ instructionFileConfig: { suffix: "partner" } });

    it("knows our suffixes and other writers', in the order in which they are read", () => {
      const manager = { ...shared.materialsManager, wrapAlgorithms: [], instructionFileSuffixes: [".escrow"] };
      const asked = [manager as unknown as DefaultMaterialsManager, ".named"] as const;
      expect(siblings.suffixes(...asked)).to.deep.equal([".instruction", ".partner", ".named", ".escrow"]);
      expect(siblings.suffixesBeside(...asked)).to.deep.equal([
        ".instruction",
        ".partner",
        ".named",
        ".escrow",
        "partner",
        "INSTRUCTION_SUFFIX",
      ]);
      expect(siblings.suffixesOf(undefined)).to.deep.equal(["partner", ".partner"]);
      expect(siblings.suffixesOf(".x")).to.deep.equal([".x"]);
      expect([siblings.isOurs(".x"), siblings.isOurs("x")]).to.deep.equal([true, false]);
    });

    it("tells an object that stands alone, one that needs a file, and one of which it cannot be told", async () => {
      const { metadata } = await sealed();
      const inFile = await sealed({ instructionFileConfig: { enableInstructionFilePutObject: true } });
      const text = { suffix: ".instruction", text: inFile.siblings.files[0]?.body ?? "" };
      expect(siblings.kindOf(metadata)).to.include({ standsAlone: true, needsFile: false });
      expect(siblings.kindOf(inFile.metadata)).to.include({ standsAlone: false, needsFile: true });
      expect(siblings.kindOf({})).to.deep.equal({ mark: undefined, standsAlone: false, needsFile: false });
      expect(siblings.isFileFor(inFile.metadata, text, materialsManager)).to.equal(true);
      expect(siblings.isFileFor(metadata, { ...text, text: "{}" }, materialsManager)).to.equal(false);
      expect(await siblings.isProven({ ...shared, metadata: inFile.metadata }, text)).to.equal(true);
      const another = await sealed({ instructionFileConfig: { enableInstructionFilePutObject: true } });
      expect(await siblings.isProven({ ...shared, metadata: another.metadata }, text)).to.equal(false);
      expect(siblings.tells(inFile.metadata, materialsManager)).to.equal(true);
      expect(siblings.tells({}, materialsManager)).to.equal(false);
    });
  });
});
