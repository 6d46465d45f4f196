import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { inspect } from "node:util";
import { refusal } from "@s3ec/test-support";
import { type KeyFile, loadKeyFiles, readKeyFile } from "@s3ec/test-vectors";
import { expect } from "chai";
import { type KeySource, type KeyType, loadKey } from "../dist/index.js";

const PUBLIC = createPublicKey(readKeyFile({ file: "key-files/public.pem" }));
const PRIVATE = createPrivateKey(readKeyFile({ file: "key-files/pkcs8.pem" }));
const FILES = loadKeyFiles();
const named = (name: string): KeyFile => FILES.find(({ file }) => file === `key-files/${name}`) ?? expect.fail(name);

function opened(file: KeyFile, more: Partial<KeySource> = {}): KeySource {
  const { passphrase, keyPassphrase } = file;
  return {
    bytes: readKeyFile(file),
    ...(passphrase === undefined ? {} : { passphrase: inText(passphrase) }),
    ...(keyPassphrase === undefined ? {} : { keyPassphrase: inText(keyPassphrase) }),
    ...more,
  };
}

function inText(text: string): { base64: string } {
  return { base64: Buffer.from(text).toString("base64") };
}

async function refusedKey(source: KeySource, type: KeyType): Promise<string> {
  const error = await refusal("invalid-argument", loadKey(source, { type }));
  // S16: whatever was wrong, what the error shows is no key.
  const shown = inspect(error, { depth: 9, showHidden: true });
  const { d = "", p = "" } = PRIVATE.export({ format: "jwk" });
  for (const secret of [d.slice(0, 24), p.slice(0, 24), "changeit", "schlüssel"]) expect(shown).to.not.contain(secret);
  return error.message;
}

describe("a key file", () => {
  for (const file of FILES) {
    const { holds, aes, writer, command } = file;
    const is = `${file.file.replace("key-files/", "")} (${writer}: ${command})`;
    for (const type of ["rsa-private", "rsa-public"] as const) {
      const isThere = holds.includes(type === "rsa-private" ? "private" : "public");
      if (isThere) {
        it(`gives the ${type} key: ${is}`, async () => {
          const key = await loadKey(opened(file), { type });
          expect(type === "rsa-private" ? createPublicKey(key).equals(PUBLIC) : key.equals(PUBLIC)).to.equal(true);
          expect(key.type).to.equal(type === "rsa-private" ? "private" : "public");
          // All of its numbers, also those that only make it quick.
          if (type === "rsa-private")
            expect(key.export({ format: "jwk" })).to.deep.equal(PRIVATE.export({ format: "jwk" }));
        });
      } else if (holds.length > 0) {
        it(`has no ${type} key, and says so: ${is}`, async () => {
          expect(await refusedKey(opened(file), type)).to.match(
            /^The key cannot be loaded: expected .*, but this is a /,
          );
        });
      }
    }
    if (aes !== undefined) {
      it(`gives the AES key that Java reads in it: ${is}`, async () => {
        const key = await loadKey(opened(file), { type: "aes" });
        expect(key.export().toString("hex")).to.equal(aes);
      });
    }
    if (file.passphrase !== undefined && holds.length > 0) {
      it(`says that its passphrase is missing: ${is}`, async () => {
        const message = await refusedKey({ bytes: readKeyFile(file) }, "rsa-private");
        expect(message).to.match(/but this is .*, and its passphrase is missing beside it\.$/);
      });
      it(`says that its passphrase is wrong: ${is}`, async () => {
        const message = await refusedKey({ bytes: readKeyFile(file), passphrase: inText("no") }, "rsa-private");
        expect(message).to.match(
          /passphrase beside it does not open (it|\(|it \()|say the passphrase as keyPassphrase/,
        );
      });
    }
  }

  const DER: readonly [string, () => KeySource][] = [
    ["PKCS#8", () => ({ bytes: PRIVATE.export({ type: "pkcs8", format: "der" }) })],
    ["PKCS#1", () => ({ bytes: PRIVATE.export({ type: "pkcs1", format: "der" }) })],
    ["PKCS#8 in base64 of a variable", () => ({ env: "KEY" })],
    ["a PKCS#12 store in base64 of a variable", () => ({ env: "STORE", passphrase: inText("changeit") })],
    ["a JWK", () => ({ bytes: JSON.stringify(PRIVATE.export({ format: "jwk" })) })],
  ];
  for (const [name, source] of DER) {
    it(`may be ${name}`, async () => {
      const env = {
        KEY: PRIVATE.export({ type: "pkcs8", format: "der" }).toString("base64"),
        STORE: readKeyFile(named("openssl.p12")).toString("base64"),
      };
      const key: KeyObject = await loadKey(source(), { type: "rsa-private", env });
      expect(createPublicKey(key).equals(PUBLIC)).to.equal(true);
    });
  }
});

describe("a keystore", () => {
  it("gives the entry of an alias, in whatever case it is written", async () => {
    for (const alias of ["orders", "ORDERS"]) {
      const key = await loadKey(opened(named("two-keys.p12"), { alias }), { type: "rsa-private" });
      expect(createPublicKey(key).equals(PUBLIC)).to.equal(true);
    }
    const partner = await loadKey(opened(named("java.p12"), { alias: "partner" }), { type: "rsa-public" });
    expect(partner.equals(PUBLIC)).to.equal(true);
  });

  const REFUSED: readonly [string, Partial<KeySource>, KeyType, RegExp][] = [
    ["two-keys.p12", {}, "rsa-private", /more than one private key: say which with alias \(it has a private key of "/],
    [
      "two-keys.p12",
      { alias: "nobody" },
      "rsa-private",
      /without an entry of this alias \(it has .*"orders".*"second"/,
    ],
    [
      "two-keys.p12",
      { alias: "archive" },
      "rsa-private",
      /whose entry of this alias is a secret key and no private key/,
    ],
    ["java.p12", { alias: "partner" }, "rsa-private", /whose entry of this alias is a certificate and no private key/],
    [
      "java.jks",
      {},
      "aes",
      /^The key cannot be loaded: expected an AES key .*, but this is a keystore that holds no secret/,
    ],
    ["ec.p12", {}, "rsa-private", /is not an RSA key but one of the kind ec/],
    ["java.jceks", {}, "rsa-private", /of the kind JCEKS/],
    ["java.jceks", {}, "aes", /of the kind JCEKS: make a PKCS#12 store of it with keytool -importkeystore/],
  ];
  for (const [name, more, type, words] of REFUSED) {
    it(`says what is wrong: ${type} of ${name}${more.alias === undefined ? "" : ` (${more.alias})`}`, async () => {
      expect(await refusedKey(opened(named(name), more), type)).to.match(words);
    });
  }

  // keytool -genseckey -storetype PKCS12 -keyalg ALGORITHM
  const OTHER_SECRETS = {
    DESede:
      "MIIBigIBAzCCATQGCSqGSIb3DQEHAaCCASUEggEhMIIBHTCCARkGCSqGSIb3DQEHAaCCAQoEggEGMIIBAjCB/wYLKoZIhvcNAQwKAQWggbMwgbAGCyqGSIb3DQEMCgECoIGgBIGdMIGaMGYGCSqGSIb3DQEFDTBZMDgGCSqGSIb3DQEFDDArBBT4/2GkZxy97vI5CwA+xi8bAZtDHAICJxACASAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEFc1situsqCnxjCVEn0IzfEEME8s9aZTL8xuwAnE320qRgg1sNv+stkuZ64XNpykZCBoWymg42iWq8qaPcxJmk146DE6MBUGCSqGSIb3DQEJFDEIHgYAZABlAHMwIQYJKoZIhvcNAQkVMRQEElRpbWUgMTc5NTkxNzE2MjM5NzBNMDEwDQYJYIZIAWUDBAIBBQAEIPxK4Ri71PDi5lsY3iwOdY1fxKk2s5uxzf3EJ2NuZsdrBBQCeJRKLMonBfKXRyPr5LL78c333gICJxA=",
    hmacWithSHA256:
      "MIIBmwIBAzCCAUUGCSqGSIb3DQEHAaCCATYEggEyMIIBLjCCASoGCSqGSIb3DQEHAaCCARsEggEXMIIBEzCCAQ8GCyqGSIb3DQEMCgEFoIHDMIHABgsqhkiG9w0BDAoBAqCBsASBrTCBqjBmBgkqhkiG9w0BBQ0wWTA4BgkqhkiG9w0BBQwwKwQUKjAYOmLCBXFTLX4uioVXoSA2jUECAicQAgEgMAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBCHCogaRcwv53uCQmYmdKIuBEBK4QMDtTMZzQk7XsI7NwS6UpXBP8oxzEVUSBtVoq3B/wmp3lUeE+4cfJJniRYZ77/qAcHSVOCcc7XG4UvHDteWMTowFQYJKoZIhvcNAQkUMQgeBgBtAGEAYzAhBgkqhkiG9w0BCRUxFAQSVGltZSAxNzk1OTE3MTYzNTk4ME0wMTANBglghkgBZQMEAgEFAAQgv1BV1YRmT1a32sleFT0WgZDJuNOAbSFdpTBtEJyeUOoEFJdsINIde391CmL2HVSMnKbl3006AgInEA==",
  };
  for (const [algorithm, base64] of Object.entries(OTHER_SECRETS)) {
    it(`gives no secret key for ${algorithm} as an AES key`, async () => {
      expect(await refusedKey({ base64, passphrase: inText("changeit") }, "aes")).to.match(
        new RegExp(`whose secret key is for ${algorithm}, not for AES\\.$`),
      );
    });
  }

  it("may have an empty passphrase, which is another than none", async () => {
    // openssl pkcs12 -export -nokeys -in CERTIFICATE -passout pass:
    const base64 =
      "MIIEFwIBAzCCA80GCSqGSIb3DQEHAaCCA74EggO6MIIDtjCCA7IGCSqGSIb3DQEHBqCCA6MwggOfAgEAMIIDmAYJKoZIhvcNAQcBMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiP07ldQwwkjAICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEP4LX+M2NUBhq7gwKCCATNOAggMwSL66TBu/2+tqP2OidhfUHf//qN0rxpDQMxdg7ZWkAFxRSRB957eCfetnLsSbh619D90jPkTsohmD9YhkEfwbqoC79Anb8Fu7jTDEk5ofyw60MpjFDK/ynbIrUFAH1upqXDn3IHsH+D+9i1Wj5C5uAp0q1rMOji3iHD5pQbV/VacRBSaq9+haAGBHgI4XD0dY5A1CclN73fBEjavNyev42mTlmCGDpX1Mwp3knqxKWt8Ux9KMQeBHSvg3XNKV/JBjUwqGpnHLm+1Gycpq7DE3YZ1UMWwnsh7gX65pFame0lIDrWxnKzLymMrSMI98R7wH+ilVEHjvo1kwGZwJGYWbzPSpji+XtUPdds1Hc+psySkZgMLmuW4NK6xTtrQOTWM8IW1KiEMYogHdcYETjsvkPw2J0XapSlr4Oec/dJx34YFwVLtADN2zqt9Ktb34i+mBmq5KuZ4YTVubInhk/J1Z+5FTPC7+65z90iw99TpNNEkDppLBGpWBooUEaglOuHK5v77c7f/ujkgzRs57EM63HqNRaSVbBY4bs9zKIB9rojQDd+unAUpkkNPWCf5BdUPCeCam5GoIQAcwNN1ILiF5YxZHJJXmGLoDNoXqaEC1MShrRRSb6FggOim9bTnDY1abuLtKeWpiQUCKmy474u4dHkwAkO6l4Q9ud9IYyeTKiCo1AmSJVzuplq9z3Z9PHVSDt2dcOcJT3nm1x7j1DhBAtJHbza+7IOsdPxj5kVh/bABqU5JmhB082VkLhoBud1XgsJFzflARat8UOuqskb0tlP2g8h9WjPPR9FKBa4w1k4Mn/roUh6oxu9hItxjhzQQJFgotWbfXa4/Y/arTwZxDKaxoC68+q4TSHO6DoWGyFQav82OojjcmV86TBRLnAsrcss4oAJ7WkTPn+5UF54mJ7TieA1oLqRorzNTzEXkG0RXzslLKJkxsYspkSAKyzdc++NlX4eN2YB3Vr8tg+Pnj3HvFUSdzyV6NxmGs2cx+OFVpgN7LCd7Ku0s92v1+YB1815VCNjVqnhBqP9Kn/JWYxYfK2QyJ790GTeBQOG1ZGDVAaPPeZLUyPMpwgYAgr/FRMEEwMTANBglghkgBZQMEAgEFAAQgMejvPYkdDcFBUj0tK+hqkcn0lrBW2MsKbxOq2hOJsgEECKharFrgt0maAgIIAA==";
    for (const passphrase of [{ env: "EMPTY" }, { base64: "" }]) {
      const key = await loadKey({ base64, passphrase }, { type: "rsa-public", env: { EMPTY: "" } });
      expect(key.type).to.equal("public");
    }
    const pem = PRIVATE.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "" });
    const key = await loadKey(
      { bytes: pem, passphrase: { env: "EMPTY" } },
      { type: "rsa-private", env: { EMPTY: "" } },
    );
    expect(createPublicKey(key).equals(PUBLIC)).to.equal(true);
    expect(await refusedKey({ base64, passphrase: { env: "S3EC_UNSET" } }, "rsa-public")).to.match(/is not set\.$/);
    const unset = await refusal("invalid-argument", loadKey({ env: "EMPTY" }, { type: "aes", env: { EMPTY: "" } }));
    expect(unset.message).to.match(/the environment variable EMPTY is empty\.$/);
  });

  it("says that a key has a passphrase of its own", async () => {
    const { passphrase = "" } = named("key-passphrase.jks");
    const source = { bytes: readKeyFile(named("key-passphrase.jks")), passphrase: inText(passphrase) };
    expect(await refusedKey(source, "rsa-private")).to.match(
      /under a passphrase of its own: say it as keyPassphrase\.$/,
    );
  });

  for (const name of ["java.jks", "openssl.p12"]) {
    it(`is refused where one bit of it is another, before anything of it is used: ${name}`, async () => {
      const file = named(name);
      const bytes = readKeyFile(file);
      const at = bytes.length >> 1;
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      expect(await refusedKey({ ...opened(file), bytes } as KeySource, "rsa-private")).to.match(/\(or it is damaged\)/);
    });
  }
});

describe("a work factor that would take hours", () => {
  const tlv = (tag: number, ...parts: Buffer[]): Buffer => {
    const content = Buffer.concat(parts);
    return Buffer.concat([Buffer.from([tag, 0x82, content.length >> 8, content.length & 0xff]), content]);
  };
  const oid = (hex: string): Buffer => tlv(6, Buffer.from(hex, "hex"));
  const kdf = tlv(
    0x30,
    oid("2a864886f70d01050c"),
    tlv(0x30, tlv(4, Buffer.alloc(8)), tlv(2, Buffer.from("7fffffff", "hex"))),
  );
  const cipher = tlv(0x30, oid("60864801650304012a"), tlv(4, Buffer.alloc(16)));
  const pkcs8 = tlv(0x30, tlv(0x30, oid("2a864886f70d01050d"), tlv(0x30, kdf, cipher)), tlv(4, Buffer.alloc(1216)));
  const integer = (value: number): Buffer => tlv(2, Buffer.from(value.toString(16).padStart(10, "0"), "hex"));
  const byScrypt = (cost: number, blockSize: number, parallel: number): Buffer => {
    const numbers = [cost, blockSize, parallel].map(integer);
    const derivation = tlv(0x30, oid("2b06010401da47040b"), tlv(0x30, tlv(4, Buffer.alloc(8)), ...numbers));
    return tlv(0x30, tlv(0x30, oid("2a864886f70d01050d"), tlv(0x30, derivation, cipher)), tlv(4, Buffer.alloc(1216)));
  };
  // OpenSSL takes elements of no definite length, too, which end with two zeros.
  const indefinite = (der: Buffer): Buffer =>
    Buffer.concat([Buffer.from([0x30, 0x80]), der.subarray(4), Buffer.alloc(2)]);
  const pem = (label: string, der: Buffer): string =>
    `-----BEGIN ${label}-----\n${der.toString("base64")}\n-----END ${label}-----\n`;
  const text = (content: Buffer | string): Buffer => {
    const bytes = Buffer.from(content as string);
    return Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  };
  const options = Buffer.concat([text(Buffer.alloc(16)), Buffer.from("7fffffff", "hex")]);
  // What stands behind the rounds is not read.
  const trailing = Buffer.concat([options, Buffer.alloc(4)]);
  const openssh = Buffer.concat([Buffer.from("openssh-key-v1\0"), text("aes256-ctr"), text("bcrypt"), text(trailing)]);

  // openssl pkcs12 -export -nokeys -iter 5000001, with -nomac and with -certpbe NONE
  const CIPHER =
    "MIICGwIBAzCCAdAGCSqGSIb3DQEHAaCCAcEEggG9MIIBuTCCAbUGCSqGSIb3DQEHAaCCAaYEggGiMIIBnjCCAZoGCyqGSIb3DQEMCgEDoIIBiTCCAYUGCiqGSIb3DQEJFgGgggF1BIIBcTCCAW0wggEToAMCAQICFDb0zQfyFG5qqoidC62SmaqHZu3+MAoGCCqGSM49BAMCMAwxCjAIBgNVBAMMAWEwHhcNMjYxMTI5MDE1OTIyWhcNMjYxMjI5MDE1OTIyWjAMMQowCAYDVQQDDAFhMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8KpdCSblDrWfRNwhSccJPOXYD3hSXlr4umltJiUjPZlfRBsevagTnrrW1PYZ0OFStYGw3PnfNTT0r0OUsYshRqNTMFEwHQYDVR0OBBYEFJE8y9G3Ig1evp5DrczL/mV+SKVcMB8GA1UdIwQYMBaAFJE8y9G3Ig1evp5DrczL/mV+SKVcMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAPH+4ve4ztey8OzGbNJeOQ2HyhIzl+Qq8abqLVwhnu1CAiBmQadHu+WJYwOxYcbDwB5lwXNDhR3IvccQwGuIzBiW/TBCMDEwDQYJYIZIAWUDBAIBBQAEIL8h+pN4JirTpviTgjLWsQdj32PFDrlTjjmLHLOhgKMBBAg9mnfYm+o2awIDTEtB";
  const MAC =
    "MIICGwIBAzCCAdAGCSqGSIb3DQEHAaCCAcEEggG9MIIBuTCCAbUGCSqGSIb3DQEHAaCCAaYEggGiMIIBnjCCAZoGCyqGSIb3DQEMCgEDoIIBiTCCAYUGCiqGSIb3DQEJFgGgggF1BIIBcTCCAW0wggEToAMCAQICFDb0zQfyFG5qqoidC62SmaqHZu3+MAoGCCqGSM49BAMCMAwxCjAIBgNVBAMMAWEwHhcNMjYxMTI5MDE1OTIyWhcNMjYxMjI5MDE1OTIyWjAMMQowCAYDVQQDDAFhMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8KpdCSblDrWfRNwhSccJPOXYD3hSXlr4umltJiUjPZlfRBsevagTnrrW1PYZ0OFStYGw3PnfNTT0r0OUsYshRqNTMFEwHQYDVR0OBBYEFJE8y9G3Ig1evp5DrczL/mV+SKVcMB8GA1UdIwQYMBaAFJE8y9G3Ig1evp5DrczL/mV+SKVcMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAPH+4ve4ztey8OzGbNJeOQ2HyhIzl+Qq8abqLVwhnu1CAiBmQadHu+WJYwOxYcbDwB5lwXNDhR3IvccQwGuIzBiW/TBCMDEwDQYJYIZIAWUDBAIBBQAEIMowNCkGvg0aE+q60/RNc2EEYji7IRLfaF/4Rnf7DCcQBAjp6XEjBJTSagIDTEtB";
  const FILES_OF: readonly [string, KeySource, KeyType, RegExp][] = [
    ["PKCS#8 in DER", { bytes: pkcs8 }, "rsa-private", /more than 5000000 iterations/],
    ["PKCS#8 in PEM", { bytes: pem("ENCRYPTED PRIVATE KEY", pkcs8) }, "rsa-private", /more than 5000000 iterations/],
    ["PKCS#8 of indefinite length", { bytes: indefinite(pkcs8) }, "rsa-private", /more than 5000000 iterations/],
    // Each number may be had alone, and the memory is what OpenSSL allows.
    ["scrypt", { bytes: byScrypt(0x4000, 8, 64) }, "rsa-private", /more than 5000000 iterations/],
    ["OpenSSH", { bytes: pem("OPENSSH PRIVATE KEY", openssh) }, "rsa-private", /more than 1000 rounds/],
    ["a PKCS#12 cipher", { base64: CIPHER }, "rsa-public", /more than 5000000 iterations/],
    ["a PKCS#12 MAC", { base64: MAC }, "rsa-public", /more than 5000000 iterations/],
  ];
  for (const [what, source, type, words] of FILES_OF) {
    it(`is refused by what the header says: ${what}`, async () => {
      expect(await refusedKey({ ...source, passphrase: inText("changeit") }, type)).to.match(words);
    });
  }
});

describe("a certificate", () => {
  it("gives its key when it has expired, and says so", async () => {
    const warnings: string[] = [];
    const source = { bytes: readKeyFile(named("expired-certificate.pem")) };
    const key = await loadKey(source, { type: "rsa-public", onWarning: (sentence) => warnings.push(sentence) });
    expect(key.type).to.equal("public");
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.match(
      /^The certificate of a public key has expired on .* 2001 GMT; its key is used all the/,
    );
  });
});
