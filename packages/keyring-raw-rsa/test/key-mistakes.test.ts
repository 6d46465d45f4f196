import { execFileSync } from "node:child_process";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { rsaKeyMistake } from "../dist/index.js";
import { rsaPrivateKey, rsaPublicKey } from "../dist/rsa-keys.js";
import { PRIVATE_KEY } from "./known-wraps.js";
import { PUBLIC_KEY } from "./raw-rsa.js";

const PASSPHRASE = "open sesame";
const pem = PRIVATE_KEY.export({ type: "pkcs8", format: "pem" }).toString();
const traditional = PRIVATE_KEY.export({ type: "pkcs1", format: "pem", cipher: "aes-128-cbc", passphrase: PASSPHRASE });
const encryptedDer = PRIVATE_KEY.export({
  type: "pkcs8",
  format: "der",
  cipher: "aes-256-cbc",
  passphrase: PASSPHRASE,
});
const ed25519 = generateKeyPairSync("ed25519");
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });

type Case = readonly [name: string, bytes: string | Uint8Array, words: RegExp];

const PRIVATE_CASES: readonly Case[] = [
  ["a traditional PEM without its passphrase", traditional, /its passphrase is missing/],
  ["encrypted DER without its passphrase", encryptedDer, /its passphrase is missing/],
  ["a public key of PKCS#1", PUBLIC_KEY.export({ type: "pkcs1", format: "pem" }), /is a public key/],
  ["a public key as DER", PUBLIC_KEY.export({ type: "spki", format: "der" }), /is a public key/],
  ["an EC key of SEC1", ec.privateKey.export({ type: "sec1", format: "pem" }), /is not an RSA key .* kind ec:/],
  ["an Ed25519 key", ed25519.privateKey.export({ type: "pkcs8", format: "pem" }), /kind ed25519/],
  ["EC parameters", "-----BEGIN EC PARAMETERS-----\nBggq\n-----END EC PARAMETERS-----\n", /is an EC or DSA key/],
  ["PEM that breaks off", pem.slice(0, 900), /breaks off: its END line is missing/],
  ["PEM in one line", pem.replaceAll("\n", " "), /lost its line breaks/],
  ["PEM with escaped line breaks", pem.replaceAll("\n", "\\n"), /lost its line breaks/],
  ["an OpenSSH public key", "ssh-rsa AAAAB3NzaC1yc2E", /is a public key/],
  ["a PuTTY key", "PuTTY-User-Key-File-3: ssh-rsa\n", /puttygen/],
  ["an OpenPGP key", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n", /OpenPGP/],
  ["a request for a certificate", "-----BEGIN CERTIFICATE REQUEST-----\n", /request for a certificate/],
  ["a set of JWKs", JSON.stringify({ keys: [PRIVATE_KEY.export({ format: "jwk" })] }), /is a set of JWKs/],
  ["a JWK of an AES key", JSON.stringify({ kty: "oct", k: "AAAA" }), /a JWK of a secret key \(of kty "oct"\)/],
  ["a JWK that breaks off", '{"kty":"RSA","n":', /looks like a JWK, but is no JSON/],
  ["other JSON", '{"type":"service_account"}', /is JSON, but no JWK/],
  ["a JWK without primes", JSON.stringify({ kty: "RSA", n: "AQ", e: "AQAB", d: "AQ" }), /lacks its primes/],
  ["UTF-16 with its mark", Buffer.from(`\uFEFF${pem}`, "utf16le"), /is text in UTF-16/],
  ["UTF-16 without", Buffer.from(pem, "utf16le"), /is text in UTF-16/],
  ["UTF-16 of the other order", Buffer.from(pem, "utf16le").swap16(), /is text in UTF-16/],
  ["base64 of PEM", Buffer.from(pem).toString("base64"), /is base64 of a key/],
  ["base64 of DER", PRIVATE_KEY.export({ type: "pkcs8", format: "der" }).toString("base64"), /is base64 of a key/],
  ["XML of .NET", "<RSAKeyValue><Modulus>AQ</Modulus></RSAKeyValue>", /is XML of \.NET/],
  ["a key blob of CNG", Buffer.from("RSA2\0\x08\0\0"), /Windows' CNG/],
  ["JCEKS", Buffer.from("cececece0000000200000001", "hex"), /Java keystore/],
];

const PUBLIC_CASES: readonly Case[] = [
  ["an OpenSSH public key", "ssh-rsa AAAAB3NzaC1yc2E", /ssh-keygen -e -m PKCS8/],
  ["an EC key", ec.publicKey.export({ type: "spki", format: "der" }), /kind ec:/],
  ["PEM that breaks off", "-----BEGIN PUBLIC KEY-----\nMIIB", /END line is missing/],
  ["an encrypted private key as DER", encryptedDer, /is a private key/],
];

/** Files as their own tools write them; each command makes the file that it is named after. */
const TOOLS: readonly (readonly [name: string, tool: string, args: string, words: RegExp])[] = [
  ["PKCS#12", "openssl", "pkcs12 -export -inkey key.pem -nocerts -passout pass:changeit -out FILE", /PKCS#12 store/],
  ["PVK", "openssl", "rsa -in key.pem -outform PVK -pvk-none -out FILE", /openssl rsa -inform PVK/],
  ["a key blob of CryptoAPI", "openssl", "rsa -in key.pem -outform MSBLOB -out FILE", /openssl rsa -inform MSBLOB/],
  ["PKCS#7", "openssl", "crl2pkcs7 -nocrl -out FILE", /is a PKCS#7 file, which holds certificates and no private key/],
  ["PKCS#7 in DER", "openssl", "crl2pkcs7 -nocrl -outform DER -out FILE", /is a PKCS#7 file/],
  [
    "PKCS#8 with RC2",
    "openssl",
    "pkcs8 -topk8 -in key.pem -v1 PBE-SHA1-RC2-40 -provider legacy -provider default -passout pass:changeit -out FILE",
    /an algorithm that OpenSSL has given up|in a way that this runtime does not know/,
  ],
  ["OpenSSH", "ssh-keygen", "-q -t rsa -b 2048 -N changeit -f FILE", /ssh-keygen -p -m PEM/],
  [
    "PKCS#12 of Java",
    "keytool",
    "-genkeypair -keyalg RSA -keysize 2048 -alias a -dname CN=a -keystore FILE -storepass changeit -storetype PKCS12",
    /PKCS#12 store/,
  ],
  [
    "JKS",
    "keytool",
    "-genkeypair -keyalg RSA -keysize 2048 -alias a -dname CN=a -keystore FILE -storepass changeit -keypass changeit -storetype JKS",
    /Java keystore/,
  ],
];

describe("a key that is not what was to be read", () => {
  for (const [what, message] of [
    ["scrypt in Bun", "error:13000080:PKCS8 routines:OPENSSL_internal:UNSUPPORTED_KEY_DERIVATION_FUNCTION"],
    ["3DES in Deno", "error:1E08010C:DECODER routines::unsupported"],
  ] as const) {
    it(`is encrypted in a way that the runtime does not know, as ${what}, and not said to have another passphrase`, () => {
      const wanted = { type: "private", hasPassphrase: true } as const;
      expect(rsaKeyMistake(encryptedDer, wanted, new Error(message))).to.match(
        /^is encrypted in a way that this runtime does not know: /,
      );
    });
  }

  it("is not opened by its passphrase where what that made of it is no key", () => {
    const error = Object.assign(new Error("error:1E08010C:DECODER routines::unsupported"), {
      code: "ERR_OSSL_UNSUPPORTED",
    });
    const said = rsaKeyMistake(encryptedDer, { type: "private", hasPassphrase: true }, error);
    expect(said).to.equal("is encrypted, and the passphrase beside it does not open it");
  });

  for (const [name, bytes, words] of PRIVATE_CASES) {
    it(`has a sentence in place of a private key: ${name}`, async () => {
      const { message } = await refusal("invalid-argument", () => rsaPrivateKey(bytes));
      expect(message)
        .to.match(words)
        .and.match(/^privateKey [^\n]+\.$/);
    });
  }
  for (const [name, bytes, words] of PUBLIC_CASES) {
    it(`has a sentence in place of a public key: ${name}`, async () => {
      const { message } = await refusal("invalid-argument", () => rsaPublicKey(bytes));
      expect(message)
        .to.match(words)
        .and.match(/^publicKey [^\n]+\.$/);
    });
  }

  for (const name of ["java.pem", "./keys/my key.der", "C:\\keys\\orders.p12"]) {
    it(`has a sentence in place of a file's content: ${name}`, async () => {
      for (const read of [rsaPrivateKey, rsaPublicKey]) {
        const { message } = await refusal("invalid-argument", () => read(name));
        expect(message).to.contain("looks like a file's name").and.not.contain(name);
      }
    });
  }

  it("is not told where that would be a guess", () => {
    const wanted = { type: "private", hasPassphrase: false } as const;
    for (const bytes of [Buffer.from("some text"), Buffer.from([0x30, 3, 2, 1, 0]), Buffer.alloc(64, 0xff)]) {
      expect(rsaKeyMistake(bytes, wanted)).to.equal(undefined);
    }
  });

  describe("as its own tool writes it", () => {
    let folder: string;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), "s3ec-keys-"));
      writeFileSync(join(folder, "key.pem"), pem);
    });
    after(() => rmSync(folder, { recursive: true }));

    for (const [index, [name, tool, args, words]] of TOOLS.entries()) {
      it(name, async function () {
        const file = `key${index}`;
        try {
          execFileSync(tool, args.replace("FILE", file).split(" "), { cwd: folder, stdio: "ignore" });
        } catch {
          // Where the tool is missing, or was built without what is old.
        }
        if (!existsSync(join(folder, file))) this.skip();
        const key = readFileSync(join(folder, file));
        const { message } = await refusal(
          "invalid-argument",
          (): KeyObject => rsaPrivateKey({ key, passphrase: "changeit" }),
        );
        expect(message).to.match(words);
        if (existsSync(join(folder, `${file}.pub`))) {
          const { message: ofPublic } = await refusal("invalid-argument", () =>
            rsaPublicKey(readFileSync(join(folder, `${file}.pub`))),
          );
          expect(ofPublic).to.match(/ssh-keygen -e -m PKCS8/);
        }
      });
    }
  });
});
