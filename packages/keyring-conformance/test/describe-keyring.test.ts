import { generateKeyPairSync, randomBytes } from "node:crypto";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { type EncryptionMaterials, keyProvider } from "@s3ec/materials";
import { expect } from "chai";
import { type DescribeKeyringOptions, describeKeyring } from "../dist/index.js";
import { collect, failed } from "./collect-checks.js";
import { ReferenceKeyring } from "./reference-keyring.js";

const key = randomBytes(32);
const create = (): ReferenceKeyring => new ReferenceKeyring(key);

describe("describeKeyring", () => {
  it("declares one suite, named after the keyring, with checks of different titles", () => {
    const [suites, titles] = [[] as string[], [] as string[]];
    describeKeyring("vault", {
      create,
      describe: (name, body) => {
        suites.push(name);
        body();
      },
      it: (title) => titles.push(title),
    });
    expect(suites).to.deep.equal(["keyring conformance: vault"]);
    expect(titles.length).to.be.greaterThan(15);
    expect(new Set(titles).size).to.equal(titles.length);
  });

  it("declares a suite for each format that it is told, objects first", () => {
    const suites: string[] = [];
    const declare = { describe: (name: string) => suites.push(name), it: () => {} };
    describeKeyring("vault", { create, formats: ["s3", "message"], ...declare });
    describeKeyring("esdk", { create, formats: ["message"], ...declare });
    expect(suites).to.deep.equal([
      "keyring conformance: vault",
      "keyring conformance: vault, in messages",
      "keyring conformance: esdk, in messages",
    ]);
  });

  it("finds wraps in messages that bind no context, unless told that they cannot", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const messageKey = { namespace: "test keys", name: "one" };
    const options = { create: () => new RawRsaKeyring({ privateKey, messageKey }), formats: ["message"] } as const;
    expect(failed(await collect(options))).to.deep.equal([
      "refuses another encryption context than it was written with (S10)",
      "binds the encryption context to the wrap, rather than comparing it alone",
    ]);
    expect(failed(await collect({ ...options, bindsContextOfMessages: false }))).to.deep.equal([]);
  });

  it("finds the information of a key provider where no message stores it", async () => {
    const wrapAlgorithm = keyProvider("esdk");
    class Misplaced extends ReferenceKeyring {
      override readonly wrapAlgorithms = [wrapAlgorithm];
      override async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
        const { encryptedDataKeys, ...answer } = await super.onEncrypt(materials);
        return {
          ...answer,
          encryptedDataKeys: encryptedDataKeys.map((each) => ({
            ...each,
            wrapAlgorithm,
            providerInfo: Buffer.from("x"),
          })),
        };
      }
    }
    expect(failed(await collect({ create: () => new Misplaced(key) }))).to.include(
      "writes encrypted data keys that can be stored, with wraps that its readers declare",
    );
  });

  it("refuses options that would leave checks out, or all of them fail", () => {
    const declare = { describe: () => {}, it: () => {} };
    const wrong: readonly [object, RegExp][] = [
      [{ create, createother: create }, /knows no option "createother"/],
      [{ create, format: ["message"] }, /knows no option "format"/],
      [{ create, formats: ["messages"] }, /formats must name "s3", "message" or both/],
      [{ create, formats: [] }, /formats must name "s3", "message" or both/],
      [{}, /needs create, a function/],
    ];
    for (const [options, words] of wrong) {
      expect(() => Reflect.apply(describeKeyring, undefined, ["vault", { ...options, ...declare }])).to.throw(words);
    }
  });

  it("says so where create gives no keyring", async () => {
    for (const made of [undefined, { onEncrypt: () => {}, onDecrypt: () => {} }]) {
      const options: object = { create: () => made };
      const failures = await collect(options as DescribeKeyringOptions);
      for (const failure of failures.values()) {
        expect(failure)
          .to.have.property("message")
          .that.matches(/^create, .* must give a keyring/);
      }
    }
  });

  it("makes no keyring before a check runs", () => {
    describeKeyring("late", {
      create: () => {
        throw new Error("made too early");
      },
      describe: (_, body) => body(),
      it: () => {},
    });
  });

  it("checks another key's wraps when it can make one", async () => {
    const without = await collect({ create });
    const withOther = await collect({ create, createOther: () => new ReferenceKeyring(randomBytes(32)) });
    const added = [...withOther.keys()].filter((title) => !without.has(title));
    expect(added).to.deep.equal(["answers another key's wraps with null or a typed refusal"]);
  });

  it("asks a keyring that only reads to refuse writing, and one that only writes to refuse reading", async () => {
    const readOnly = await collect({ create, createWriter: create });
    expect(readOnly.get("refuses to write, since it only reads, with a typed error")).to.be.instanceOf(Error);
    expect(readOnly.has("creates a data key of 32 bytes and wraps it, for each suite")).to.equal(false);
    const writeOnly = await collect({ create, createReader: create });
    expect(writeOnly.get("refuses to read, since it only writes, with null or a typed error")).to.be.instanceOf(Error);
    expect(writeOnly.has("answers null to wraps of other kinds and to none at all")).to.equal(false);
  });

  it("uses the context that it is given, and says so when it has no entry", async () => {
    const seen = new Set<string>();
    class Watching extends ReferenceKeyring {
      override aad(...[materials, description]: Parameters<ReferenceKeyring["aad"]>): string {
        seen.add(Object.keys(description).join());
        return super.aad(materials, description);
      }
    }
    await collect({ create: () => new Watching(key), encryptionContext: { only: "this" } });
    expect(seen.has("only")).to.equal(true);
    const empty = await collect({ create, encryptionContext: {} });
    const failures = [...empty.values()].filter((failure) => failure !== undefined);
    expect(failures).to.have.length(2);
    for (const failure of failures) expect(failure.message).to.contain("Give encryptionContext at least one entry");
  });
});
