import { inspect } from "node:util";
import { forReading, forWriting, opens, refusal, roundTrip } from "@s3ec/test-support";
import { expect } from "chai";
import { Pkcs11Keyring, type Pkcs11KeyringOptions } from "../dist/index.js";
import { registerModule } from "../dist/loaded-module.js";
import { StubToken } from "./stub-token.js";

let modules = 0;

/** A stub under a path of its own, and what opens a keyring on it. */
function stub() {
  const token = new StubToken();
  const module = `stub-${++modules}`;
  registerModule(module, token);
  const open = (more: Partial<Pkcs11KeyringOptions> = {}) =>
    Pkcs11Keyring.open({ module, slot: 7, keyLabel: "key", pin: () => token.pin, ...more });
  return { token, open };
}

describe("a keyring whose token fails (stub)", () => {
  it("logs in again when the user was logged out, and finds its key again", async () => {
    const { token, open } = stub();
    await using keyring = await open();
    expect(token.logins).to.have.length(1);
    for (const lose of [() => token.logOut(), () => token.closeAllSessions()]) {
      const written = await keyring.onEncrypt(forWriting());
      lose();
      expect(await opens(keyring, written)).to.equal(true);
    }
    expect(token.logins).to.have.length(3);
  });

  for (const name of [
    "CKR_USER_NOT_LOGGED_IN",
    "CKR_SESSION_HANDLE_INVALID",
    "CKR_SESSION_CLOSED",
    "CKR_OBJECT_HANDLE_INVALID",
    "CKR_DEVICE_REMOVED",
    "CKR_CRYPTOKI_NOT_INITIALIZED",
  ]) {
    it(`tries once more after ${name}, and then gives up`, async () => {
      const { token, open } = stub();
      await using keyring = await open();
      for (const call of ["C_DecryptInit", "C_DecryptAsync"] as const) {
        const written = await keyring.onEncrypt(forWriting());
        token.failNext(call, name);
        expect(await opens(keyring, written)).to.equal(true);
        token.failNext(call, name, name);
        const error = await refusal("key-unavailable", () => opens(keyring, written));
        expect(error.message).to.contain(name);
        expect(await opens(keyring, written)).to.equal(true);
      }
    });
  }

  it("says key-unavailable while the token is away, and works once it is back", async () => {
    const { token, open } = stub();
    await using keyring = await open();
    const written = await keyring.onEncrypt(forWriting());
    token.remove();
    for (let i = 0; i < 3; i++) {
      const error = await refusal("key-unavailable", () => opens(keyring, written));
      expect(error.message).to.contain("slot number 7");
    }
    await refusal("key-unavailable", () => keyring.onEncrypt(forWriting()));
    token.isPresent = true;
    expect(await opens(keyring, written)).to.equal(true);
  });

  it("lets none of many callers hang when the token goes in the middle", async () => {
    const { token, open } = stub();
    await using keyring = await open({ maxSessions: 2 });
    const callers = Array.from({ length: 20 }, () => roundTrip(keyring, keyring));
    await new Promise((resolve) => setImmediate(resolve));
    token.remove();
    const outcomes = await Promise.allSettled(callers);
    expect(outcomes.some(({ status }) => status === "rejected")).to.equal(true);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason).to.have.property("code", "key-unavailable");
      else expect(outcome.value).to.equal(true);
    }
    token.isPresent = true;
    expect(await roundTrip(keyring, keyring)).to.equal(true);
  });

  it("serves all of many callers when the login is lost in the middle, with one new login", async () => {
    const { token, open } = stub();
    await using keyring = await open({ maxSessions: 3 });
    const callers = Array.from({ length: 30 }, () => roundTrip(keyring, keyring));
    await new Promise((resolve) => setImmediate(resolve));
    token.closeAllSessions();
    expect(await Promise.all(callers)).to.deep.equal(Array(30).fill(true));
    expect(token.logins).to.have.length(2);
    expect(token.mostSessions).to.equal(3);
  });

  it("makes do with fewer sessions where the token allows fewer", async () => {
    const { token, open } = stub();
    token.sessionLimit = 2;
    await using keyring = await open({ maxSessions: 8 });
    const callers = Array.from({ length: 20 }, () => roundTrip(keyring, keyring));
    expect(await Promise.all(callers)).to.deep.equal(Array(20).fill(true));
    expect(token.mostSessions).to.equal(2);
  });

  it("never tries a PIN again that was refused, and does not tell it", async () => {
    const { token, open } = stub();
    const wrong = "4321-wrong";
    let pin = token.pin;
    await using keyring = await open({ pin: () => pin });
    const { encryptedDataKeys } = await keyring.onEncrypt(forWriting());
    pin = wrong;
    token.logOut();
    for (let i = 0; i < 5; i++) {
      const error = await refusal("key-unavailable", () => keyring.onDecrypt(forReading(), encryptedDataKeys));
      expect(error.message).to.contain("CKR_PIN_INCORRECT");
      expect(inspect([error, keyring], { depth: 9, showHidden: true })).to.not.contain(wrong);
    }
    expect(token.logins).to.deep.equal([token.pin, wrong]);
  });

  for (const [name, words] of [
    ["CKR_PIN_LOCKED", /locked/],
    ["CKR_PIN_EXPIRED", /does not accept the PIN/],
    ["CKR_USER_ANOTHER_ALREADY_LOGGED_IN", /Logging into the token failed/],
    ["CKR_GENERAL_ERROR", /Logging into the token failed/],
  ] as const) {
    it(`fails to open with ${name} in words`, async () => {
      const { token, open } = stub();
      token.failNext("C_Login", name);
      const error = await refusal("key-unavailable", () => open());
      expect(error.message).to.match(words).and.contain(name);
      expect(token.logins).to.have.length(1);
      expect(token.isInitialized).to.equal(false);
    });
  }

  for (const name of ["CKR_MECHANISM_INVALID", "CKR_MECHANISM_PARAM_INVALID", "CKR_FUNCTION_NOT_SUPPORTED"]) {
    it(`refuses at construction a token without the mechanism (${name})`, async () => {
      for (const call of ["C_EncryptInit", "C_DecryptInit"] as const) {
        const { token, open } = stub();
        token.failNext(call, name);
        const error = await refusal("invalid-configuration", () => open());
        expect(error.message).to.contain("AES-GCM (CKM_AES_GCM)").and.contain(name);
        expect(token.openSessions).to.equal(0);
      }
    });
  }

  it("refuses at construction a key that may not decrypt, and a token that does not open what it wraps", async () => {
    const { token, open } = stub();
    token.failNext("C_DecryptInit", "CKR_KEY_FUNCTION_NOT_PERMITTED");
    expect((await refusal("invalid-configuration", () => open())).message).to.contain("CKA_DECRYPT");
    token.failNext("C_DecryptAsync", "CKR_ENCRYPTED_DATA_INVALID");
    expect((await refusal("invalid-configuration", () => open())).message).to.contain("IV");
  });

  it("answers the uniform failure to whatever a token says of altered bytes, and keeps its session", async () => {
    const { token, open } = stub();
    await using keyring = await open();
    const { encryptedDataKeys } = await keyring.onEncrypt(forWriting());
    for (const name of ["CKR_ENCRYPTED_DATA_INVALID", "CKR_GENERAL_ERROR", "CKR_DATA_INVALID", "CKR_VENDOR_DEFINED"]) {
      token.failNext("C_DecryptAsync", name);
      const error = await refusal("decryption-failed", () => keyring.onDecrypt(forReading(), encryptedDataKeys));
      expect(error.message).to.not.contain("CKR_");
      expect(error.cause).to.equal(undefined);
    }
    token.failNext("C_DecryptAsync", "CKR_DEVICE_ERROR");
    await refusal("key-unavailable", () => keyring.onDecrypt(forReading(), encryptedDataKeys));
    expect(token.logins).to.have.length(1);
    expect(token.counts.C_OpenSession).to.equal(1);
  });

  it("shares its module with other keyrings; the last one finalizes it", async () => {
    const { token, open } = stub();
    const [one, two] = await Promise.all([open(), open()]);
    expect(await roundTrip(one, two)).to.equal(true);
    await one.close();
    await one.close();
    expect(token.counts.C_Finalize ?? 0).to.equal(0);
    expect(await roundTrip(two, two)).to.equal(true);
    await refusal("key-unavailable", () => one.onEncrypt(forWriting()));
    await two.close();
    expect(token.counts.C_Finalize).to.equal(1);
    expect(token.isInitialized).to.equal(false);
    await using three = await open();
    expect(await roundTrip(three, three)).to.equal(true);
  });

  it("leaves a module initialized that somebody else had initialized", async () => {
    const { token, open } = stub();
    token.isInitialized = true;
    await (await open()).close();
    expect(token.counts.C_Finalize ?? 0).to.equal(0);
    expect(token.openSessions).to.equal(0);
  });

  it("waits on close for what is running, and closes every session", async () => {
    const { token, open } = stub();
    const keyring = await open({ maxSessions: 3 });
    const running = Array.from({ length: 3 }, () => keyring.onEncrypt(forWriting()));
    await new Promise((resolve) => setImmediate(resolve));
    await keyring.close();
    expect(token.openSessions).to.equal(0);
    expect((await Promise.allSettled(running)).map(({ status }) => status)).to.deep.equal(Array(3).fill("fulfilled"));
  });
});
