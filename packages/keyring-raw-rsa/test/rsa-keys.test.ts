import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { inspect } from "node:util";
import { printedBy, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { RawRsaKeyring } from "../dist/index.js";
import { type RsaPrivateKey, type RsaPublicKey, rsaPrivateKey, rsaPublicKey } from "../dist/rsa-keys.js";
import { PRIVATE_KEY, PRIVATE_KEY_DER } from "./known-wraps.js";
import { PUBLIC_KEY } from "./raw-rsa.js";

const der = (type: "pkcs1" | "pkcs8"): Buffer => PRIVATE_KEY.export({ type, format: "der" });
const publicDer = (type: "pkcs1" | "spki"): Buffer => PUBLIC_KEY.export({ type, format: "der" });
const pem = PRIVATE_KEY.export({ type: "pkcs8", format: "pem" }).toString();
const publicPem = PUBLIC_KEY.export({ type: "spki", format: "pem" }).toString();
const encrypted = { format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase: "open sesame" } as const;
const encryptedPem = PRIVATE_KEY.export(encrypted).toString();
const encryptedDer = PRIVATE_KEY.export({ ...encrypted, format: "der" });
const jwk = PRIVATE_KEY.export({ format: "jwk" });
const publicJwk = PUBLIC_KEY.export({ format: "jwk" });

/** Self-signed, for PUBLIC_KEY; made with openssl. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIDBTCCAe2gAwIBAgIUecHnE9G33EWGulEdZXSvgpBiaLcwDQYJKoZIhvcNAQEL
BQAwETEPMA0GA1UEAwwGZXNjcm93MCAXDTI2MTEyMzExNDgyM1oYDzIxMjYxMDMw
MTE0ODIzWjARMQ8wDQYDVQQDDAZlc2Nyb3cwggEiMA0GCSqGSIb3DQEBAQUAA4IB
DwAwggEKAoIBAQDIGmpI/mga2TsU98x8rWq4AyDjFz0/X21B/7qunR3vKglr3n7y
7Cv1BQrCkZexZFmnzq6Iyo1alL2sTzxSNL4Mjy/TRAMoDWWjN28nlZrezJ1M1uYJ
TWB3U8KoSYa5Jdfs//Jrv0meiScp00i+A5laYsqoZEcqlRwyeVBz9MyNrj6F40by
mvP/N97V36tGW1KoFQsOnK4F22n2YRiZNpY0dVTP74StU+rf4OAx6aCTVbApu0dw
D2K0FhgqlXoTg+IouRWsQfP/te21qibA9GqevCFEU9PQCkOXiC+ElEWxw2xLNvAL
i11KwAkSwdcZmjBLu2FBIy0+zHO/wwqWLYmJAgMBAAGjUzBRMB0GA1UdDgQWBBSl
DKcoIN60+SfvEIB642SET1rKBjAfBgNVHSMEGDAWgBSlDKcoIN60+SfvEIB642SE
T1rKBjAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4IBAQCE/cedRg6k
LUGS6bfsrnGWATVfaoOM3aOfFQmXyAyp2uQaBu3GQlBIAdb0kQpKMlnUBfKft152
hjbP/dtOH8U6yuBPpGeEaNsxmaB6MYZDM98zhNJca4DXQqP1KEkvceE6dhLHQJbR
26mlBz8qHZja/BxiooI2qIAQQ7mlgg+sffBwe8zijJRymUn7yrz0Wf5450pCSanW
HRJKa1z0cDxw/CSXntFJmdei/v3X5W5+giARlrEjvtxQEDq1juebfQ8D4wRLXy6Y
W/IYXUo6HaB/eJXl7IlpB/kAqCsTjEP8+Dz8MjXrwcWK5a+dRsoZJtdAryAjzFAR
QAD1qGoAdzFU
-----END CERTIFICATE-----
`;

describe("RSA keys", () => {
  const privateKeys: readonly [string, RsaPrivateKey][] = [
    ["PKCS#8 PEM", pem],
    ["PKCS#1 PEM", PRIVATE_KEY.export({ type: "pkcs1", format: "pem" }).toString()],
    ["PEM after other text", `Bag Attributes\n  friendlyName: key\n${pem}`],
    ["PEM as bytes of a file", Buffer.from(pem)],
    ["PEM in an object", { key: pem }],
    ["PKCS#8 DER", PRIVATE_KEY_DER],
    ["PKCS#8 DER in a view", new Uint8Array(Buffer.concat([Buffer.alloc(5), PRIVATE_KEY_DER]).subarray(5))],
    ["PKCS#8 DER in an object", { key: der("pkcs8"), type: "pkcs8" }],
    ["PKCS#1 DER in an object", { key: der("pkcs1"), type: "pkcs1" }],
    ["encrypted PEM", { key: encryptedPem, passphrase: "open sesame" }],
    ["encrypted DER", { key: encryptedDer, passphrase: "open sesame" }],
    ["JWK", jwk],
    ["JWK that may unwrap", { ...jwk, use: "enc", key_ops: ["unwrapKey"] }],
    ["KeyObject", PRIVATE_KEY],
  ];
  for (const [what, input] of privateKeys) {
    it(`reads a private key: ${what}`, () => {
      expect(rsaPrivateKey(input).equals(PRIVATE_KEY)).to.equal(true);
    });
  }

  const publicKeys: readonly [string, RsaPublicKey][] = [
    ["SPKI PEM", publicPem],
    ["PKCS#1 PEM", PUBLIC_KEY.export({ type: "pkcs1", format: "pem" }).toString()],
    ["PEM as bytes of a file", Buffer.from(publicPem)],
    ["a certificate", CERTIFICATE],
    ["a certificate as DER", new X509Certificate(CERTIFICATE).raw],
    ["SPKI DER", publicDer("spki")],
    ["SPKI DER in an object", { key: publicDer("spki"), type: "spki" }],
    ["PKCS#1 DER in an object", { key: publicDer("pkcs1"), type: "pkcs1" }],
    ["JWK", publicJwk],
    ["JWK that may wrap", { ...publicJwk, key_ops: ["wrapKey"] }],
    ["KeyObject", PUBLIC_KEY],
  ];
  for (const [what, input] of publicKeys) {
    it(`reads a public key: ${what}`, () => {
      expect(rsaPublicKey(input).equals(PUBLIC_KEY)).to.equal(true);
    });
  }

  // Bun makes none, and reads none.
  const isBun = process.versions["bun"] !== undefined;
  const pss = isBun ? undefined : generateKeyPairSync("rsa-pss", { modulusLength: 2048 });
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const small = generateKeyPairSync("rsa", { modulusLength: 2047 });

  const wrongPrivate: readonly (readonly [string, unknown, RegExp])[] = [
    ["a public key", PUBLIC_KEY, /is a public key, which can only write/],
    ["a public PEM", publicPem, /is a public key, which can only write/],
    ["a certificate", CERTIFICATE, /is a certificate, which holds only the public key/],
    ["a public JWK", publicJwk, /./],
    ...(pss === undefined ? [] : [["an RSA-PSS key, which signs only", pss.privateKey, /rsa-pss/] as const]),
    ["an EC key", ec.privateKey.export({ type: "pkcs8", format: "der" }), /is not an RSA key but one of the kind ec:/],
    ["PKCS#1 DER said to be PKCS#8", der("pkcs1"), /how DER is encoded/],
    ["an encrypted key without a passphrase", encryptedPem, /its passphrase is missing/],
    [
      "an encrypted key with a wrong one",
      { key: encryptedPem, passphrase: "close" },
      /the passphrase beside it does not open it/,
    ],
    ["no key", "", /is empty/],
    ["no bytes", new Uint8Array(0), /is empty/],
    ["a number", 7, /cannot be read/],
    ["null", null, /cannot be read/],
    ["a JWK for signing", { ...jwk, use: "sig" }, /use or key_ops/],
    ["a JWK that may only sign", { ...jwk, key_ops: ["sign"] }, /use or key_ops/],
    ["2047 bits", small.privateKey, /2048 bits or more; RSA keys of 2047 bits/],
  ];
  for (const [what, input, text] of wrongPrivate) {
    it(`refuses as a private key: ${what}`, async () => {
      const error = await refusal("invalid-argument", () => rsaPrivateKey(input as RsaPrivateKey));
      expect(error.message)
        .to.match(/^privateKey /)
        .and.match(text);
    });
  }

  // Deno reads no PKCS#8 in DER as a public key.
  const inPlaceOfPublic = /(?:holds|is) a private key/;
  const wrongPublic: readonly (readonly [string, unknown, RegExp])[] = [
    ["a private KeyObject", PRIVATE_KEY, inPlaceOfPublic],
    ["a private PEM", pem, inPlaceOfPublic],
    ["an encrypted private PEM", encryptedPem, inPlaceOfPublic],
    ["a private PEM as bytes", { key: Buffer.from(pem) }, inPlaceOfPublic],
    ["a private PKCS#8 DER", der("pkcs8"), inPlaceOfPublic],
    ["a private PKCS#1 DER", { key: der("pkcs1"), type: "pkcs1" }, inPlaceOfPublic],
    ["a private JWK", jwk, inPlaceOfPublic],
    ...(pss === undefined ? [] : [["an RSA-PSS key, which verifies only", pss.publicKey, /rsa-pss/] as const]),
    ["a JWK for signing", { ...publicJwk, use: "sig" }, /use or key_ops/],
    ["a JWK that may only verify", { ...publicJwk, key_ops: ["verify"] }, /use or key_ops/],
    ["text", "some text", /cannot be read/],
    ["2047 bits", small.publicKey, /2048 bits or more/],
  ];
  for (const [what, input, text] of wrongPublic) {
    it(`refuses as a public key: ${what}`, async () => {
      const error = await refusal("invalid-argument", () => rsaPublicKey(input as RsaPublicKey));
      expect(error.message)
        .to.match(/^publicKey /)
        .and.match(text);
    });
  }

  it("refuses without quoting what it was given", async () => {
    const d = String(jwk.d);
    for (const wrong of [{ ...jwk, n: 7 }, { ...jwk, d: [d] }, { ...jwk, use: "sig" }, { key: `${d}\n${d}` }, d]) {
      const error = await refusal("invalid-argument", () => rsaPrivateKey(wrong as RsaPrivateKey));
      expect(inspect(error, { depth: 9, showHidden: true })).to.not.contain(d.slice(0, 20));
    }
  });

  it("leaves the caller's bytes alone", () => {
    const before = Buffer.from(PRIVATE_KEY_DER);
    new RawRsaKeyring({ privateKey: before, publicKey: publicDer("spki") });
    expect(before).to.deep.equal(PRIVATE_KEY_DER);
  });

  it("takes a pair, and refuses two halves that do not belong together", async () => {
    const other: KeyObject = createPublicKey(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey);
    expect(new RawRsaKeyring({ privateKey: pem, publicKey: publicJwk })).to.be.instanceOf(RawRsaKeyring);
    const error = await refusal(
      "invalid-configuration",
      () => new RawRsaKeyring({ privateKey: pem, publicKey: other }),
    );
    expect(error.message).to.match(/does not belong to privateKey/);
  });

  it("needs one of them", async () => {
    await refusal("invalid-configuration", () => new RawRsaKeyring({}));
    const decryptionKeys = [{ privateKey: pem, materialDescription: { key: "old" } }];
    await refusal("invalid-configuration", () => new RawRsaKeyring({ decryptionKeys }));
  });
});

describe("an RSA key that this process has generated", () => {
  it("does not wait for a lock that a garbage collection wants, too", async () => {
    const module = (name: string) => JSON.stringify(new URL(`../dist/${name}`, import.meta.url).href);
    const code = `
      import { generateKeyPairSync } from "node:crypto";
      import { rsaPrivateKey } from ${module("rsa-keys.js")};
      import { modulusLength } from ${module("rsa-oaep.js")};
      for (let i = 0; i < 100; i++) {
        const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
        const key = rsaPrivateKey(privateKey, true);
        new ArrayBuffer(3_000_000);
        if (modulusLength(key) !== 128) throw new Error("not the key");
      }
      console.log("done");`;
    expect(await printedBy(code)).to.equal("done\n");
  });
});
