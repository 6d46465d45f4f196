import { generateKeyPairSync } from "node:crypto";
import { S3Format } from "@s3ec/format-s3";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { type Keyring, S3EncryptionError, type SiblingText } from "@s3ec/materials";
import { expect } from "chai";
import { CONTENT, Counting, type Metadata, opened, plaintextFrom, requestOf, sealed } from "./objects.js";

const V2 = { enableUncommittedChildren: true };
const IN_FILE = { instructionFileConfig: { enableInstructionFilePutObject: true } };
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** A keyring that cannot be asked at first. */
class FailingOnce implements Keyring {
  asked = 0;
  readonly #keyring: Keyring;
  readonly #failure: Error;

  constructor(keyring: Keyring, failure: Error) {
    this.#keyring = keyring;
    this.#failure = failure;
  }

  get wrapAlgorithms(): Keyring["wrapAlgorithms"] {
    return this.#keyring.wrapAlgorithms;
  }

  onEncrypt: Keyring["onEncrypt"] = (...request) => this.#keyring.onEncrypt(...request);

  onDecrypt: Keyring["onDecrypt"] = async (...request) => {
    this.asked += 1;
    if (this.asked === 1) throw this.#failure;
    return await this.#keyring.onDecrypt(...request);
  };
}

describe("a file beside an object", () => {
  const own = new Counting();
  const escrow = new Counting();
  const rules = new S3Format(V2).siblings;

  async function stored(format: "V2" | "V3") {
    const children = [{ keyring: escrow, instructionFileSuffix: ".escrow" }];
    const { metadata, body, siblings } = await sealed(new MultiKeyring({ generator: own, children }), V2, format);
    const [file] = siblings.files;
    return { metadata, body, file: { suffix: ".escrow", text: file?.body ?? "" } };
  }

  const isProven = (metadata: Metadata, file: SiblingText, keyring = escrow): Promise<boolean> =>
    rules.isProven({ ...requestOf(keyring), metadata }, file);

  it("is proven to be its own by the commitment of V3, which takes its key (S19)", async () => {
    const { metadata, file } = await stored("V3");
    const another = await stored("V3");
    expect(await isProven(metadata, file)).to.equal(true);
    expect(await isProven(metadata, another.file)).to.equal(false);
    expect(await isProven(metadata, file, new Counting())).to.equal(false);
    expect(await isProven(metadata, { ...file, text: "{" })).to.equal(false);
  });

  it("is proven to be its own by suite and IV of V2, where the metadata holds the envelope (S19)", async () => {
    const { metadata, file } = await stored("V2");
    const another = await stored("V2");
    expect(await isProven(metadata, file, new Counting())).to.equal(true);
    expect(await isProven(metadata, another.file)).to.equal(false);
    const { metadata: bare, siblings } = await sealed(escrow, IN_FILE, "V2");
    const alone = { suffix: ".instruction", text: siblings.files[0]?.body ?? "" };
    expect(await isProven(bare, alone)).to.equal(false);
  });

  it("is told from another object's by what stands in the metadata, in any letter case (S19, H35)", async () => {
    const request = requestOf(own);
    const tells = (metadata: Metadata): boolean => rules.tells(metadata, request.materialsManager);
    for (const format of ["V2", "V3"] as const) expect(tells((await stored(format)).metadata)).to.equal(true);
    const committed = (await sealed(own, IN_FILE)).metadata;
    expect(tells(committed)).to.equal(true);
    expect(tells(Object.fromEntries(Object.entries(committed).map(([n, v]) => [n.toUpperCase(), v])))).to.equal(true);
    expect(tells((await sealed(own, IN_FILE, "V2")).metadata)).to.equal(false);
    expect(tells({})).to.equal(false);
  });

  describe("that the client names, beside a wrapped key in the metadata", () => {
    const options = { ...V2, instructionFileConfig: { suffix: ".escrow" } };

    for (const format of ["V2", "V3"] as const) {
      it(`opens the object; another object's gives way to the metadata (S19): ${format}`, async () => {
        const { metadata, body, file } = await stored(format);
        const files = { ".escrow": file.text };
        expect(await plaintextFrom(await opened(escrow, metadata, options, { files }), body)).to.deep.equal(CONTENT);
        const foreign = { ".escrow": (await stored(format)).file.text };
        const object = await opened(own, metadata, options, { files: foreign });
        expect(await plaintextFrom(object, body)).to.deep.equal(CONTENT);
      });
    }

    it("is refused as the file says where the metadata's wrapped key does not open either", async () => {
      const { metadata } = await stored("V3");
      const files = { ".escrow": "{" };
      const stranger = new RawRsaKeyring({ publicKey, privateKey });
      const error = await opened(stranger as never, metadata, options, { files }).catch((reason: unknown) => reason);
      expect(error).to.have.property("code", "malformed-envelope");
    });

    const failures = {
      untyped: new Error("down"),
      "with a code of ours": Object.assign(new Error("down"), { code: "decryption-failed" }),
      "of the key": new S3EncryptionError("key-unavailable", "The key store is down."),
    };
    for (const [what, failure] of Object.entries(failures)) {
      it(`hides no failure of a key store behind the metadata: ${what}`, async () => {
        const { metadata, file } = await stored("V3");
        const failing = new FailingOnce(own, failure);
        const files = { ".escrow": file.text };
        const error = await opened(failing, metadata, options, { files }).catch((reason: unknown) => reason);
        expect(error).to.equal(failure);
        expect(failing.asked).to.equal(1);
      });
    }
  });
});

describe("the plaintext's length", () => {
  it("is stated by metadata in any letter case (H35)", () => {
    const format = new S3Format();
    expect(format.plaintextLength({ "X-Amz-Cek-Alg": "AES/GCM/NoPadding" }, 100)).to.equal(84);
    expect(format.plaintextLength({ "X-AMZ-C": "115" }, 100)).to.equal(84);
    expect(format.plaintextLength({ "X-Amz-Unencrypted-Content-Length": "90" }, 96)).to.equal(90);
  });
});
