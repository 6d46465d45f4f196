import { timingSafeEqual } from "node:crypto";
import type forge from "node-forge";
import { inOurWords, KeyProblem } from "./key-problem.js";
import type { StoreEntry } from "./key-store.js";
import { optionalPackage } from "./optional-package.js";
import { assertAtMost, assertIterations, MAX_ITERATIONS } from "./work-factor.js";

type Forge = typeof forge;
type Asn1 = forge.asn1.Asn1;

const DAMAGED = "is a PKCS#12 keystore that is damaged or of a kind that is not known here";
const NOT_OPENED = "is a PKCS#12 keystore that the passphrase beside it does not open (or it is damaged)";
const KEY_NOT_OPENED =
  "is in a PKCS#12 keystore under a passphrase of its own, or a cipher that is not known here: say the passphrase as keyPassphrase";

/** Forge lacks the name of it. */
const SECRET_BAG = "1.2.840.113549.1.12.10.1.5";
/** AES of any length: Java names none in a bag, others do. */
const AES = /^2\.16\.840\.1\.101\.3\.4\.1(?:\.\d+)?$/;
/** What `keytool -genseckey` calls them. */
const OTHERS: Readonly<Record<string, string>> = {
  "1.3.14.3.2.7": "DES",
  "1.3.14.3.2.17": "DESede",
  "1.2.840.113549.3.7": "DESede",
  "1.2.840.113549.3.4": "RC4",
};
/** Password-based MAC of OpenSSL 3.4 on and of Java 26 on. */
const PBMAC1 = "1.2.840.113549.1.5.14";

/** The entries of a PKCS#12 store; nothing of it is opened before its MAC has shown that it is whole. */
export async function pkcs12Entries(bytes: Buffer, passphrase: string, keyPassphrase: string): Promise<StoreEntry[]> {
  const { default: forge } = await optionalPackage(
    "node-forge",
    () => import("node-forge"),
    ", since it is a PKCS#12 keystore; or take the key out of it with openssl pkcs12 -in FILE -nocerts",
  );
  return inOurWords(() => new Pkcs12(forge, passphrase, keyPassphrase).entries(bytes), DAMAGED);
}

interface Bag {
  readonly type: string;
  readonly value: Asn1;
  readonly alias: string;
  readonly localKeyId: string | undefined;
}

class Pkcs12 {
  readonly #forge: Forge;
  readonly #passphrase: string;
  readonly #keyPassphrase: string;
  /** Of the whole store: it may hold any number of parts. */
  #iterations = 0;

  constructor(forge: Forge, passphrase: string, keyPassphrase: string) {
    this.#forge = forge;
    this.#passphrase = passphrase;
    this.#keyPassphrase = keyPassphrase;
  }

  entries(bytes: Buffer): StoreEntry[] {
    const [, authSafe, mac] = parts(this.#parsed(bytes.toString("latin1")));
    // In explicit tags: the content of a ContentInfo.
    const content = octets(at(authSafe, 1, 0));
    if (mac !== undefined) this.#assertMac(mac, content);
    const bags = parts(this.#parsed(content)).flatMap((info) => this.#bagsOf(info));
    return this.#entriesOf(bags);
  }

  /** Java, Windows and OpenSSL each write definite lengths or not; nothing may follow. */
  #parsed(bytes: string): Asn1 {
    return this.#forge.asn1.fromDer(bytes, { strict: false, parseAllBytes: false, decodeBitStrings: false } as never);
  }

  #oid(node: Asn1 | undefined): string {
    return this.#forge.asn1.derToOid(primitive(node));
  }

  #assertMac(mac: Asn1, content: string): void {
    const digestInfo = at(mac, 0);
    const algorithm = this.#oid(at(digestInfo, 0, 0));
    if (algorithm === PBMAC1) {
      throw new KeyProblem(
        "is a PKCS#12 keystore with a MAC of the kind PBMAC1, which is not known here: write it again without -pbmac1_pbkdf2",
      );
    }
    const { pki, md: digests, pkcs12, util } = this.#forge;
    const name = pki.oids[algorithm];
    if (name !== "sha1" && name !== "sha256" && name !== "sha384" && name !== "sha512") throw new KeyProblem(DAMAGED);
    const iterations = parts(mac)[2] === undefined ? 1 : this.#integer(at(mac, 2));
    if (iterations < 1) throw new KeyProblem(DAMAGED);
    this.#count(iterations);
    const digest = digests[name].create();
    const key = pkcs12.generateKey(
      this.#passphrase,
      util.createBuffer(octets(at(mac, 1))),
      3,
      iterations,
      digest.digestLength,
      digest,
    );
    const hmac = this.#forge.hmac.create();
    hmac.start(digests[name].create(), key);
    hmac.update(content);
    const actual = Buffer.from(hmac.getMac().getBytes(), "latin1");
    const stored = Buffer.from(octets(at(digestInfo, 1)), "latin1");
    if (actual.length !== stored.length || !timingSafeEqual(actual, stored)) throw new KeyProblem(NOT_OPENED);
  }

  #integer(node: Asn1): number {
    const bytes = Buffer.from(primitive(node), "latin1");
    return bytes.length >= 1 && bytes.length <= 4 ? bytes.readIntBE(0, bytes.length) : -1;
  }

  #bagsOf(info: Asn1): Bag[] {
    const { data, encryptedData } = this.#forge.pki.oids;
    const type = this.#oid(at(info, 0));
    if (type === data) return this.#bagsIn(octets(at(info, 1, 0)));
    if (type !== encryptedData) return [];
    const encrypted = at(info, 1, 0, 1);
    const content = this.#decrypted(at(encrypted, 1), octets(at(encrypted, 2)), this.#passphrase, NOT_OPENED);
    return this.#bagsIn(content);
  }

  #bagsIn(safeContents: string): Bag[] {
    return parts(this.#parsed(safeContents)).map((bag) => {
      const attributes = new Map(
        (parts(bag)[2] === undefined ? [] : parts(at(bag, 2))).map((attribute) => [
          this.#oid(at(attribute, 0)),
          octets(at(attribute, 1, 0)),
        ]),
      );
      const { friendlyName = "", localKeyId = "" } = this.#forge.pki.oids;
      return {
        type: this.#oid(at(bag, 0)),
        value: at(bag, 1, 0),
        alias: attributes.get(friendlyName) ?? "",
        localKeyId: attributes.get(localKeyId),
      };
    });
  }

  #entriesOf(bags: readonly Bag[]): StoreEntry[] {
    const { oids } = this.#forge.pki;
    const certificates = bags.filter(({ type }) => type === oids.certBag);
    const owned = new Set<Bag>();
    const keys = bags.flatMap((bag): StoreEntry[] => {
      const { alias, type, value } = bag;
      if (type === SECRET_BAG) return [{ alias, secretKey: () => this.#secretKey(value) }];
      if (type !== oids.keyBag && type !== oids.pkcs8ShroudedKeyBag) return [];
      const own = certificates.find(({ localKeyId }) => localKeyId !== undefined && localKeyId === bag.localKeyId);
      if (own !== undefined) owned.add(own);
      return [
        {
          alias,
          privateKey: () => (type === oids.keyBag ? this.#der(value) : this.#unshrouded(value)),
          ...(own === undefined ? {} : { certificate: this.#certificate(own) }),
        },
      ];
    });
    const others = certificates.filter((bag) => !owned.has(bag));
    return [...keys, ...others.map((bag) => ({ alias: bag.alias, certificate: this.#certificate(bag) }))];
  }

  #certificate({ value }: Bag): Buffer {
    return Buffer.from(octets(at(value, 1, 0)), "latin1");
  }

  /** DER of an EncryptedPrivateKeyInfo's PKCS#8. */
  #unshrouded(info: Asn1): Buffer {
    return Buffer.from(
      this.#decrypted(at(info, 0), octets(at(info, 1)), this.#keyPassphrase, KEY_NOT_OPENED),
      "latin1",
    );
  }

  /** Java shrouds a secret key as if it were a private one, inside a secret bag; the key is PKCS#8's octets. */
  #secretKey(value: Asn1): Buffer {
    if (this.#oid(at(value, 0)) !== this.#forge.pki.oids.pkcs8ShroudedKeyBag) throw new KeyProblem(DAMAGED);
    return inOurWords(() => {
      const shrouded = this.#parsed(octets(at(value, 1, 0)));
      const pkcs8 = this.#parsed(this.#unshrouded(shrouded).toString("latin1"));
      const algorithm = this.#oid(at(pkcs8, 1, 0));
      // A key of DESede has the length of one of AES.
      if (!AES.test(algorithm)) {
        const name = OTHERS[algorithm] ?? this.#forge.pki.oids[algorithm] ?? `the algorithm ${algorithm}`;
        throw new KeyProblem(`is a keystore whose secret key is for ${name}, not for AES`);
      }
      return Buffer.from(octets(at(pkcs8, 2)), "latin1");
    }, KEY_NOT_OPENED);
  }

  #decrypted(algorithm: Asn1, ciphertext: string, passphrase: string, words: string): string {
    return inOurWords(() => {
      const { asn1, pki, util } = this.#forge;
      this.#count(assertIterations(this.#der(algorithm)));
      const oid = this.#oid(at(algorithm, 0));
      // PKCS#5 takes UTF-8, PKCS#12's own ciphers UTF-16, which the library makes of the text.
      const text = oid === pki.oids.pkcs5PBES2 ? util.encodeUtf8(passphrase) : passphrase;
      const cipher = (pki as unknown as Pbe).pbe.getCipher(oid, at(algorithm, 1), text);
      cipher.update(util.createBuffer(ciphertext));
      if (!cipher.finish()) throw new KeyProblem(words);
      const plaintext = cipher.output.getBytes();
      // A wrong passphrase may leave a right padding; it leaves no sequence of this length.
      asn1.fromDer(plaintext);
      return plaintext;
    }, words);
  }

  #count(iterations: number): void {
    this.#iterations += iterations;
    assertAtMost(this.#iterations, MAX_ITERATIONS, "iterations");
  }

  #der(node: Asn1): Buffer {
    return Buffer.from(this.#forge.asn1.toDer(node).getBytes(), "latin1");
  }
}

/** What the library's types leave out. */
interface Pbe {
  readonly pbe: {
    getCipher(
      oid: string,
      parameters: Asn1,
      passphrase: string,
    ): {
      update(input: forge.util.ByteStringBuffer): void;
      finish(): boolean;
      readonly output: forge.util.ByteStringBuffer;
    };
  };
}

function parts(node: Asn1 | undefined): Asn1[] {
  if (node !== undefined && Array.isArray(node.value)) return node.value;
  throw new KeyProblem(DAMAGED);
}

function at(node: Asn1 | undefined, ...path: readonly number[]): Asn1 {
  let found = node;
  for (const index of path) found = parts(found)[index];
  if (found === undefined) throw new KeyProblem(DAMAGED);
  return found;
}

function primitive(node: Asn1 | undefined): string {
  if (typeof node?.value === "string") return node.value;
  throw new KeyProblem(DAMAGED);
}

/** An octet string may come in pieces, and so may one that is tagged implicitly. */
function octets(node: Asn1): string {
  return typeof node.value === "string" ? node.value : node.value.map(octets).join("");
}
