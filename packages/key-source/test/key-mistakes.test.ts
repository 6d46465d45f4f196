import { createPrivateKey } from "node:crypto";
import { inspect } from "node:util";
import { refusal } from "@s3ec/test-support";
import { readKeyFile } from "@s3ec/test-vectors";
import { expect } from "chai";
import { type KeySource, type KeyType, loadKey } from "../dist/index.js";

const HEX = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const PEM = readKeyFile({ file: "key-files/pkcs8.pem" }).toString();
const PRIVATE = createPrivateKey(PEM);
const OCT = JSON.stringify({ kty: "oct", k: Buffer.from(HEX, "hex").toString("base64url") });
const JWK = PRIVATE.export({ format: "jwk" });
const file = (name: string): Buffer => readKeyFile({ file: `key-files/${name}` });
const opened = (name: string): KeySource => ({
  bytes: file(name),
  passphrase: { base64: Buffer.from("changeit").toString("base64") },
});
const pairs = HEX.match(/../g) ?? [];

async function refused(source: KeySource, type: KeyType): Promise<string> {
  const error = await refusal("invalid-argument", loadKey(source, { type }));
  const shown = inspect(error, { depth: 9, showHidden: true });
  for (const secret of [HEX.slice(0, 12), "0011", String(JWK.d).slice(0, 12), "changeit"]) {
    expect(shown).to.not.contain(secret);
  }
  expect(error.message).to.match(/^The key cannot be loaded: [^\n]+\.$/);
  return error.message;
}

describe("a file that is no AES key", () => {
  const CASES: readonly (readonly [string, string | Buffer, RegExp])[] = [
    ["PEM", PEM, /is PEM, as RSA keys and certificates are/],
    ["an OpenSSH key", file("openssh"), /is PEM, as RSA keys/],
    ["DER", PRIVATE.export({ type: "pkcs8", format: "der" }), /is DER, as RSA keys and certificates are/],
    ["a certificate in DER", file("certificate.der"), /is DER, as RSA keys/],
    ["hex after 0x", `0x${HEX}\n`, /is hex with 0x before it/],
    ["hex with colons", pairs.join(":"), /is hex with signs between its bytes/],
    ["hex with hyphens", `${pairs.join("-")}\n`, /is hex with signs between its bytes/],
    ["a properties file", `# key of 2019\naes.key=${HEX}\n`, /is lines with names, as of a properties file/],
    ["YAML", `key: ${HEX}\n`, /is lines with names/],
    ["text in quotation marks", `"${HEX}"\n`, /stands in quotation marks/],
    [
      "what Java prints of bytes",
      `[${pairs.map((pair) => Number.parseInt(pair, 16) - 128).join(", ")}]`,
      /list of numbers/,
    ],
    ["UTF-16", Buffer.from(`\uFEFF${HEX}\r\n`, "utf16le"), /is text in UTF-16/],
    ["UTF-16 without its mark", Buffer.from(HEX, "utf16le"), /is text in UTF-16/],
    ["UTF-8 with a mark", `\uFEFF${HEX}`, /begins with a byte order mark/],
    ["a set of JWKs", JSON.stringify({ keys: [JSON.parse(OCT)] }), /is a set of JWKs/],
    [
      "a JWK of an RSA key",
      JSON.stringify(JWK),
      /is no JWK of an AES key, which has kty "oct", but one of the kind RSA/,
    ],
  ];
  for (const [what, bytes, words] of CASES) {
    it(`has a sentence: ${what}`, async () => {
      expect(await refused({ bytes }, "aes"))
        .to.match(words)
        .and.contain("expected an AES key of 16, 24 or 32 bytes, but this ");
    });
    it(`has it whatever encoding is said: ${what}`, async () => {
      if (/JWK/.test(what)) {
        expect(await refused({ bytes, encoding: "hex" }, "aes")).to.match(/leave out encoding/);
      } else {
        for (const encoding of ["hex", "base64"] as const) {
          expect(await refused({ bytes, encoding }, "aes")).to.match(words);
        }
      }
    });
  }

  it("is not told where that would be a guess", async () => {
    for (const bytes of [HEX.slice(1), "some text", Buffer.alloc(33, 0x30), "QUJD="]) {
      expect(await refused({ bytes }, "aes")).to.match(
        /An AES wrapping key has 16, 24 or 32 bytes .*; this one has \d+\./,
      );
    }
  });
});

describe("a file that is no RSA key", () => {
  const CASES: readonly (readonly [string, string | Buffer, RegExp])[] = [
    ["PVK", file("private.pvk"), /PVK format: make PEM of it with openssl rsa -inform PVK/],
    ["a private key blob of Microsoft's", file("private.msblob"), /key blob of Microsoft's CryptoAPI/],
    ["a public one", file("public.msblob"), /key blob of Microsoft's CryptoAPI: .*with -pubin/],
    ["PKCS#7", file("certificates.p7b"), /is a PKCS#7 file, which holds certificates/],
    ["PKCS#7 in DER", file("certificates-der.p7b"), /is a PKCS#7 file, which holds certificates/],
    ["a set of JWKs", JSON.stringify({ keys: [JWK] }), /is a set of JWKs/],
    ["a JWK of an AES key", OCT, /is a JWK of a secret key \(of kty "oct"\)/],
    ["UTF-16", Buffer.from(`\uFEFF${PEM}`, "utf16le"), /is text in UTF-16/],
    ["base64 of PEM", Buffer.from(PEM).toString("base64"), /is base64 of a key/],
  ];
  for (const [what, bytes, words] of CASES) {
    for (const type of ["rsa-private", "rsa-public"] as const) {
      it(`has a sentence in place of an ${type} key: ${what}`, async () => {
        expect(await refused({ bytes }, type)).to.match(words);
      });
    }
  }

  for (const name of ["openssh-chacha20-poly1305", "openssh-aes256-gcm"]) {
    it(`has a sentence: ${name}`, async () => {
      for (const source of [opened(name), { bytes: file(name) }]) {
        expect(await refused(source, "rsa-private")).to.match(
          /is in OpenSSH's own format under (?:chacha20-poly1305|aes256-gcm)@openssh\.com, which is not read here: make PEM of a copy with ssh-keygen -p -m PEM/,
        );
      }
    });
  }

  it("may begin with a byte order mark", async () => {
    for (const text of [PEM, JSON.stringify(JWK)]) {
      expect((await loadKey({ bytes: `\uFEFF${text}` }, { type: "rsa-private" })).equals(PRIVATE)).to.equal(true);
    }
  });

  it("is refused where a JWK says that it is for something else", async () => {
    for (const more of [{ use: "sig" }, { key_ops: ["sign"] }]) {
      const bytes = JSON.stringify({ ...JWK, ...more });
      expect(await refused({ bytes }, "rsa-private")).to.match(/is a JWK whose use or key_ops allow neither unwrapKey/);
    }
    const { kty, n, e } = JWK;
    const bytes = JSON.stringify({ kty, n, e, key_ops: ["verify"] });
    expect(await refused({ bytes }, "rsa-public")).to.match(/allow neither wrapKey nor encrypt/);
  });
});

describe("what would be ignored beside a key", () => {
  const bytes = Buffer.from(HEX, "hex");
  const CASES: readonly (readonly [string, KeySource, KeyType, RegExp])[] = [
    ["an alias beside PEM", { bytes: PEM, alias: "a" }, "rsa-private", /is no keystore, .*: leave out alias/],
    ["an alias beside an OpenSSH key", { bytes: file("openssh"), alias: "a" }, "rsa-private", /leave out alias/],
    ["an alias beside a certificate", { bytes: file("certificate.pem"), alias: "a" }, "rsa-public", /leave out alias/],
    ["a key's own passphrase", { bytes: PEM, keyPassphrase: { base64: "AA==" } }, "rsa-private", /out keyPassphrase/],
    ["an alias beside the bytes of a key", { bytes, alias: "a" }, "aes", /leave out alias/],
    ["an alias beside a JWK", { bytes: OCT, alias: "a" }, "aes", /leave out alias/],
    ["a passphrase beside a JWK", { bytes: OCT, passphrase: { base64: "AA==" } }, "aes", /is no keystore/],
    ["an encoding beside a keystore", { ...opened("java.p12"), encoding: "hex" }, "aes", /leave out encoding/],
    ["an encoding of an RSA key", { bytes: PEM, encoding: "hex" }, "rsa-private", /expected no encoding here/],
    ["a passphrase of a text", { bytes, passphrase: { base64: "AA==" } }, "text", /expected no passphrase here/],
    ["an alias of a secret", { bytes, alias: "a" }, "secret", /expected no alias here/],
  ];
  for (const [what, source, type, words] of CASES) {
    it(`is refused: ${what}`, async () => {
      expect(await refused(source, type)).to.match(words);
    });
  }
});

describe("an environment variable", () => {
  it("is named where it is not set, unless its name may be the key or passphrase itself", async () => {
    for (const name of ["ORDERS_KEY", "_KEY1"]) {
      expect(await refused({ env: name }, "aes")).to.contain(`the environment variable ${name} is not set.`);
    }
    for (const name of [
      HEX,
      HEX.toUpperCase(),
      Buffer.from(HEX).toString("base64url"),
      "with a space",
      "hunter2",
      `A${"B".repeat(64)}`,
    ]) {
      expect(await refused({ env: name }, "aes")).to.contain("the environment variable named here is not set.");
    }
  });
});
