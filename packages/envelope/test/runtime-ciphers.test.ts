import crypto from "node:crypto";
import { replacingCrypto } from "@s3ec/test-support";
import { expect } from "chai";
import { assertHasCipher, S3EncryptionError } from "../dist/index.js";

type RuntimeCiphers = typeof import("../dist/runtime-ciphers.js");

/** The module as a process loads it whose `node:crypto` lacks these. */
async function without(names: readonly string[], act: (module: RuntimeCiphers) => void): Promise<number> {
  const original = crypto.createCipheriv;
  const module: RuntimeCiphers = await import(`../dist/runtime-ciphers.js?without=${names.join()}`);
  let asked = 0;
  const createCipheriv = (...given: Parameters<typeof original>): unknown => {
    asked++;
    if (names.includes(given[0]))
      throw Object.assign(new Error("Unknown cipher"), { code: "ERR_CRYPTO_UNKNOWN_CIPHER" });
    return original(...given);
  };
  await replacingCrypto({ createCipheriv: createCipheriv as never }, () => act(module));
  return asked;
}

describe("the ciphers of a runtime", () => {
  it("are all there in Node, and no failure says anything of them", async () => {
    await without([], ({ hasCipher, missingCiphers }) => {
      for (const bits of [128, 192, 256] as const) {
        for (const mode of ["cbc", "gcm"] as const) expect(hasCipher(`aes-${bits}-${mode}`)).to.equal(true);
      }
      expect(missingCiphers()).to.equal("");
    });
  });

  it("are named with every failure where there is none of 192 bits, as in Deno", async () => {
    await without(["aes-192-cbc", "aes-192-gcm"], ({ hasCipher, missingCiphers }) => {
      expect(hasCipher("aes-192-gcm")).to.equal(false);
      expect(hasCipher("aes-256-gcm")).to.equal(true);
      expect(missingCiphers()).to.contain("no aes-192-cbc and no aes-192-gcm");
    });
    await without(["aes-192-gcm"], ({ missingCiphers }) => {
      expect(missingCiphers()).to.contain("no aes-192-gcm,").and.not.contain("cbc");
    });
  });

  it("are asked for once", async () => {
    const asked = await without(["aes-128-gcm"], ({ hasCipher }) => {
      for (let time = 0; time < 3; time++) expect(hasCipher("aes-128-gcm")).to.equal(false);
    });
    expect(asked).to.equal(1);
  });

  it("are refused by name where one is missing", () => {
    assertHasCipher("aes-256-gcm");
    const act = () => assertHasCipher("aes-512-gcm" as never);
    expect(act).to.throw(S3EncryptionError, "no aes-512-gcm").with.property("code", "unsupported-operation");
  });
});
