import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { KMS_CONTEXT } from "@s3ec/envelope";
import {
  contextMismatch,
  createDataKey,
  type DecryptionMaterials,
  decryptionFailed,
  type EncryptedDataKey,
  type EncryptionMaterials,
  S3EncryptionError,
  type WrapAlgorithm,
  withDataKey,
} from "@s3ec/materials";
import { expect } from "chai";
import { collect, failed } from "./collect-checks.js";
import { ReferenceKeyring } from "./reference-keyring.js";

const KEY = randomBytes(32);
const OTHER_KEY = randomBytes(32);
const REMEMBERED = new WeakMap<Uint8Array, KeyObject>();

type Wrong = new (key: Uint8Array) => ReferenceKeyring;
type Opening = [materials: DecryptionMaterials, encryptedDataKeys: readonly EncryptedDataKey[]];

/** The last one of what a keyring answered, changed. */
function altered(materials: EncryptionMaterials, change: Partial<EncryptedDataKey>): EncryptionMaterials {
  const { encryptedDataKeys } = materials;
  const last = encryptedDataKeys.at(-1);
  if (last === undefined) throw new Error("Nothing was wrapped.");
  return { ...materials, encryptedDataKeys: [...encryptedDataKeys.slice(0, -1), { ...last, ...change }] };
}

const WRONG: Record<string, { readonly keyring: Wrong; readonly fails: readonly string[] }> = {
  "declares no wrap at all, nor that it can read what it writes": {
    keyring: class extends ReferenceKeyring {
      override readonly wrapAlgorithms: readonly WrapAlgorithm[] = [];
    },
    fails: [
      "declares the wraps that it reads",
      "writes encrypted data keys that can be stored, with wraps that its readers declare",
      // Nothing says that it binds a context, so that none is passed to it.
      "refuses another encryption context than it was written with (S10)",
      "binds the encryption context to the wrap, rather than comparing it alone",
    ],
  },
  "declares a wrap twice": {
    keyring: class extends ReferenceKeyring {
      override readonly wrapAlgorithms: readonly WrapAlgorithm[] = [
        KMS_CONTEXT,
        ...new ReferenceKeyring(KEY).wrapAlgorithms,
        KMS_CONTEXT,
      ];
    },
    fails: ["declares the wraps that it reads"],
  },
  "serves objects only, with a wrap that messages hold too": {
    keyring: class extends ReferenceKeyring {
      override async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
        if (materials.suite.format === "s3") return await super.onEncrypt(materials);
        throw new S3EncryptionError("unsupported-operation", "Objects only.");
      }
    },
    fails: ["opens what it wrote in every format that can hold its wraps"],
  },
  "adds a second wrap": {
    keyring: class extends ReferenceKeyring {
      override async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
        return await super.onEncrypt(await super.onEncrypt(materials));
      }
    },
    fails: [
      "creates a data key of 32 bytes and wraps it, for each suite",
      "as a child keeps the data key and appends to what others wrapped",
    ],
  },
  "writes a legacy wrap": {
    keyring: class extends ReferenceKeyring {
      override async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
        const result = await super.onEncrypt(materials);
        const wrapAlgorithm = result.encryptedDataKeys.at(-1)?.wrapAlgorithm ?? KMS_CONTEXT;
        return altered(result, { wrapAlgorithm: { ...wrapAlgorithm, legacy: true } });
      }
    },
    fails: ["writes encrypted data keys that can be stored, with wraps that its readers declare"],
  },
  "asks for an instruction file that it does not declare": {
    keyring: class extends ReferenceKeyring {
      override async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
        return altered(await super.onEncrypt(materials), { instructionFileSuffix: ".own" });
      }
    },
    fails: ["writes encrypted data keys that can be stored, with wraps that its readers declare"],
  },
  "creates the same data key for every object": {
    keyring: class extends ReferenceKeyring {
      override createDataKey(): KeyObject {
        return createSecretKey(Buffer.alloc(32, 7));
      }
    },
    // The one that it has is in a buffer that stays.
    fails: [
      "never creates the same data key or wrap twice",
      "serves 50 callers at a time",
      "zeroes the raw bytes of a data key that it creates or opens",
    ],
  },
  "as a child makes a data key of its own": {
    keyring: class extends ReferenceKeyring {
      override async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
        const { dataKey: _, ...withoutDataKey } = materials;
        return await super.onEncrypt(withoutDataKey);
      }
    },
    fails: ["as a child keeps the data key and appends to what others wrapped"],
  },
  "as a child drops what others wrapped": {
    keyring: class extends ReferenceKeyring {
      override async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
        return await super.onEncrypt({ ...materials, encryptedDataKeys: [] });
      }
    },
    fails: ["as a child keeps the data key and appends to what others wrapped"],
  },
  "drops a description that it should store": {
    keyring: class extends ReferenceKeyring {
      override async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
        const result = await super.onEncrypt(materials);
        const wrapAlgorithm = result.encryptedDataKeys.at(-1)?.wrapAlgorithm ?? KMS_CONTEXT;
        return altered(result, { wrapAlgorithm: { ...wrapAlgorithm, describedBy: "material-description" } });
      }
    },
    fails: ["stores a material description that the caller passes, where its wrap is described by one"],
  },
  "knows its own wraps only by identity": {
    keyring: class extends ReferenceKeyring {
      override isOwn(wrapAlgorithm: WrapAlgorithm): boolean {
        return this.wrapAlgorithms.includes(wrapAlgorithm);
      }
    },
    fails: ["opens with a new keyring what went through storage"],
  },
  "remembers what it wrapped instead of being able to open it": {
    keyring: class extends ReferenceKeyring {
      override async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
        const result = await super.onEncrypt(materials);
        const { dataKey } = result;
        const ciphertext = result.encryptedDataKeys.at(-1)?.ciphertext;
        if (dataKey !== undefined && ciphertext !== undefined) REMEMBERED.set(ciphertext, dataKey);
        return result;
      }

      override async onDecrypt(...[materials, keys]: Opening): Promise<DecryptionMaterials | null> {
        const opened = await super.onDecrypt(materials, keys);
        const remembered = keys.map(({ ciphertext }) => REMEMBERED.get(ciphertext));
        const dataKey = remembered.find((each) => each !== undefined);
        return opened === null ? null : withDataKey(materials, dataKey ?? createDataKey(materials.suite));
      }
    },
    fails: ["opens with a new keyring what went through storage"],
  },
  "throws on wraps of other kinds": {
    keyring: class extends ReferenceKeyring {
      override async onDecrypt(...[materials, keys]: Opening): Promise<DecryptionMaterials | null> {
        const opened = await super.onDecrypt(materials, keys);
        if (opened === null) throw new S3EncryptionError("no-matching-key", "Not for me.");
        return opened;
      }
    },
    fails: ["answers null to wraps of other kinds and to none at all"],
  },
  "takes the first wrap for its own": {
    keyring: class extends ReferenceKeyring {
      override async onDecrypt(...[materials, keys]: Opening): Promise<DecryptionMaterials | null> {
        return await super.onDecrypt(materials, keys.slice(0, 1));
      }
    },
    fails: ["opens each encrypted data key that it wrote, alone and among others, for each suite"],
  },
  "opens another key's wraps too": {
    keyring: class extends ReferenceKeyring {
      override open(ciphertext: Uint8Array, aad: string): Uint8Array {
        try {
          return super.open(ciphertext, aad);
        } catch {
          return new ReferenceKeyring(OTHER_KEY).open(ciphertext, aad);
        }
      }
    },
    fails: ["answers another key's wraps with null or a typed refusal"],
  },
  "keeps state of one call for the next": {
    keyring: class extends ReferenceKeyring {
      #dataKey: KeyObject | undefined;

      override async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
        this.#dataKey = materials.dataKey ?? createDataKey(materials.suite);
        await Promise.resolve();
        return await super.onEncrypt(withDataKey(materials, this.#dataKey));
      }
    },
    fails: ["serves 50 callers at a time"],
  },
  "does not bind to the content algorithm": {
    keyring: class extends ReferenceKeyring {
      override aad(...[materials, description]: Parameters<ReferenceKeyring["aad"]>): string {
        return super.aad({ ...materials, algorithmBinding: "any" }, description);
      }
    },
    fails: ["refuses a wrap that is bound to another content algorithm (S2)"],
  },
  "binds to the beginning of the content algorithm only": {
    keyring: class extends ReferenceKeyring {
      override aad(...[materials, description]: Parameters<ReferenceKeyring["aad"]>): string {
        return super.aad({ ...materials, algorithmBinding: materials.algorithmBinding.slice(0, 3) }, description);
      }
    },
    fails: ["refuses a wrap that is bound to another content algorithm (S2)"],
  },
  "does not look at the caller's context": {
    keyring: class extends ReferenceKeyring {
      override checkContext(): void {}
    },
    fails: ["refuses another encryption context than it was written with (S10)"],
  },
  "accepts a part of the context": {
    keyring: class extends ReferenceKeyring {
      override checkContext(...[materials, description]: Parameters<ReferenceKeyring["checkContext"]>): void {
        for (const [name, value] of Object.entries(materials.encryptionContext)) {
          if (description[name] !== value) throw contextMismatch();
        }
      }
    },
    fails: ["refuses another encryption context than it was written with (S10)"],
  },
  "compares the context but does not bind it": {
    keyring: class extends ReferenceKeyring {
      override aad(...[materials]: Parameters<ReferenceKeyring["aad"]>): string {
        return super.aad(materials, {});
      }
    },
    fails: ["binds the encryption context to the wrap, rather than comparing it alone"],
  },
  "answers null to what does not authenticate": {
    keyring: class extends ReferenceKeyring {
      override decipher(ciphertext: Uint8Array, aad: string): Uint8Array {
        try {
          return super.decipher(ciphertext, aad);
        } catch {
          return new Uint8Array(0);
        }
      }

      override async onDecrypt(...[materials, keys]: Opening): Promise<DecryptionMaterials | null> {
        const opened = await super.onDecrypt(materials, keys);
        return opened?.dataKey?.symmetricKeySize === 0 ? null : opened;
      }
    },
    fails: [
      "refuses a wrap that is bound to another content algorithm (S2)",
      "binds the encryption context to the wrap, rather than comparing it alone",
      "refuses a wrapped key with any bit changed, always in the same words (S16)",
    ],
  },
  "lets the errors of its cipher out": {
    keyring: class extends ReferenceKeyring {
      override open(ciphertext: Uint8Array, aad: string): Uint8Array {
        if (ciphertext.length !== 60) throw decryptionFailed();
        return this.decipher(ciphertext, aad);
      }
    },
    fails: [
      "answers another key's wraps with null or a typed refusal",
      "refuses a wrap that is bound to another content algorithm (S2)",
      "binds the encryption context to the wrap, rather than comparing it alone",
      "refuses a wrapped key with any bit changed, always in the same words (S16)",
    ],
  },
  "lets the errors of its cipher out when a wrapped key was cut": {
    keyring: class extends ReferenceKeyring {
      override open(ciphertext: Uint8Array, aad: string): Uint8Array {
        return ciphertext.length === 60 ? super.open(ciphertext, aad) : this.decipher(ciphertext, aad);
      }
    },
    fails: ["refuses a wrapped key that was cut or made longer, always in the same words"],
  },
  "ignores what follows a wrapped key": {
    keyring: class extends ReferenceKeyring {
      override open(ciphertext: Uint8Array, aad: string): Uint8Array {
        return super.open(ciphertext.subarray(0, 60), aad);
      }
    },
    fails: ["refuses a wrapped key that was cut or made longer, always in the same words"],
  },
  "says what is wrong with a wrapped key": {
    keyring: class extends ReferenceKeyring {
      override open(ciphertext: Uint8Array, aad: string): Uint8Array {
        if (ciphertext.length === 60) return super.open(ciphertext, aad);
        throw new S3EncryptionError("decryption-failed", "The wrapped key has a wrong length.");
      }
    },
    fails: ["refuses a wrapped key that was cut or made longer, always in the same words"],
  },
  "shows the cause of a failure": {
    keyring: class extends ReferenceKeyring {
      override open(ciphertext: Uint8Array, aad: string): Uint8Array {
        if (ciphertext.length === 60) return super.open(ciphertext, aad);
        throw Object.assign(decryptionFailed(), { length: ciphertext.length });
      }
    },
    fails: ["refuses a wrapped key that was cut or made longer, always in the same words"],
  },
  "appends to the list that it was given": {
    keyring: class extends ReferenceKeyring {
      override async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
        const result = await super.onEncrypt(materials);
        const added = result.encryptedDataKeys.slice(materials.encryptedDataKeys.length);
        if (!Object.isFrozen(materials.encryptedDataKeys))
          Array.prototype.push.apply(materials.encryptedDataKeys, added);
        return result;
      }
    },
    fails: ["does not change what it is given"],
  },
  "cannot work on frozen materials": {
    keyring: class extends ReferenceKeyring {
      override async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
        Object.assign(materials, { suite: materials.suite });
        return await super.onEncrypt(materials);
      }
    },
    fails: ["does not change what it is given"],
  },
  "zeroes the wrapped key that it was given": {
    keyring: class extends ReferenceKeyring {
      override async onDecrypt(...[materials, keys]: Opening): Promise<DecryptionMaterials | null> {
        const opened = await super.onDecrypt(materials, keys);
        if (Object.isFrozen(keys)) for (const { ciphertext } of keys) ciphertext.fill(0);
        return opened;
      }
    },
    fails: ["does not change what it is given"],
  },
  "stores the data key beside its wrap": {
    keyring: class extends ReferenceKeyring {
      override seal(bytes: Uint8Array, aad: string): Uint8Array {
        return Buffer.concat([super.seal(bytes, aad), bytes]);
      }

      override open(ciphertext: Uint8Array, aad: string): Uint8Array {
        if (ciphertext.length !== 92) throw decryptionFailed();
        const opened = super.open(ciphertext.subarray(0, 60), aad);
        if (Buffer.compare(opened, ciphertext.subarray(60)) !== 0) throw decryptionFailed();
        return opened;
      }
    },
    fails: [
      "wraps the data key, rather than storing it",
      "prints no key: not in inspect, not in JSON, not in an error or its cause",
    ],
  },
  "keeps the last data key in a property": {
    keyring: class extends ReferenceKeyring {
      last: Uint8Array | undefined;

      override import(bytes: Uint8Array): KeyObject {
        this.last = Uint8Array.from(bytes);
        return super.import(bytes);
      }
    },
    fails: ["prints no key: not in inspect, not in JSON, not in an error or its cause"],
  },
  "keeps its wrapping key in a property": {
    keyring: class extends ReferenceKeyring {
      readonly text: string;

      constructor(key: Uint8Array) {
        super(key);
        this.text = Buffer.from(key).toString("base64url");
      }
    },
    fails: ["prints no key: not in inspect, not in JSON, not in an error or its cause"],
  },
  "puts its key into the cause of an error": {
    keyring: class extends ReferenceKeyring {
      override decipher(ciphertext: Uint8Array, aad: string): Uint8Array {
        try {
          return super.decipher(ciphertext, aad);
        } catch {
          throw new Error(`The key ${KEY.toString("hex")} does not open this.`);
        }
      }
    },
    fails: ["prints no key: not in inspect, not in JSON, not in an error or its cause"],
  },
  "leaves the raw bytes of what it wraps": {
    keyring: class extends ReferenceKeyring {
      override async lend(dataKey: KeyObject, use: (bytes: Uint8Array) => Uint8Array): Promise<Uint8Array> {
        return use(dataKey.export());
      }
    },
    fails: ["zeroes the raw bytes of a data key that it wraps"],
  },
  "leaves the raw bytes of what it opens": {
    keyring: class extends ReferenceKeyring {
      override import(bytes: Uint8Array): KeyObject {
        return createSecretKey(bytes);
      }
    },
    fails: ["zeroes the raw bytes of a data key that it creates or opens"],
  },
};

describe("the conformance kit", () => {
  it("passes a right keyring", async () => {
    const results = await collect({ create: () => new ReferenceKeyring(KEY) });
    expect(failed(results)).to.deep.equal([]);
  });

  for (const [what, { keyring: Keyring, fails }] of Object.entries(WRONG)) {
    it(`catches one that ${what}`, async () => {
      const results = await collect({
        create: () => new Keyring(KEY),
        createOther: () => new ReferenceKeyring(OTHER_KEY),
        secrets: [KEY],
      });
      expect(failed(results)).to.deep.equal(fails);
    });
  }
});
