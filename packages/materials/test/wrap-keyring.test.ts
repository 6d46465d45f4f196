import { AES_GCM, AES_WRAP, CBC, COMMITTING_GCM, defineWrapAlgorithm, GCM, keyProvider } from "@s3ec/envelope";
import { BY_PROVIDER, bytes, encryptedDataKey, forReading, forWriting, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { decryptionFailed, S3EncryptionError, type Wrap, WrapKeyring } from "../dist/index.js";

const OWN = defineWrapAlgorithm({ name: "acme:one" });
const OTHER = defineWrapAlgorithm({ name: "acme:two" });
const wrapped = encryptedDataKey(OWN, bytes(9, 60));

const writing = (algorithm: Wrap["algorithm"], ciphertext = bytes(9, 60)): Wrap => ({
  algorithm,
  wrap: () => ({ ciphertext }),
});
const reading = (unwrap: NonNullable<Wrap["unwrap"]>, algorithm = OWN): Wrap => ({ algorithm, unwrap });
const read = (...wraps: Wrap[]) => new WrapKeyring(wraps).onDecrypt(forReading(), [wrapped]);

describe("a list of wraps as a keyring", () => {
  it("declares each wrap that it reads once, and none that it only writes", () => {
    const wraps = [writing(AES_GCM), reading(() => null), reading(() => null, OTHER), reading(() => null)];
    expect(new WrapKeyring(wraps).wrapAlgorithms).to.deep.equal([OWN, OTHER]);
  });

  it("writes the first wrap that the object can hold, beside what is there, and passes over those that only read", async () => {
    const provider = keyProvider("acme");
    const keyring = new WrapKeyring([reading(() => null), writing(AES_GCM), writing(provider), writing(OWN)]);
    const names: string[] = [];
    for (const suite of [COMMITTING_GCM, GCM, BY_PROVIDER]) {
      const { encryptedDataKeys } = await keyring.onEncrypt(forWriting(suite, { encryptedDataKeys: [wrapped] }));
      expect(encryptedDataKeys[0]).to.equal(wrapped);
      names.push(...encryptedDataKeys.slice(1).map(({ wrapAlgorithm }) => wrapAlgorithm.name));
    }
    expect(names).to.deep.equal(["AES/GCM", "AES/GCM", "acme"]);
    const own = await new WrapKeyring([writing(AES_GCM), writing(OWN)]).onEncrypt(forWriting(BY_PROVIDER));
    expect(own.encryptedDataKeys.map(({ wrapAlgorithm }) => wrapAlgorithm)).to.deep.equal([OWN]);
  });

  it("refuses to write where no wrap of its fits", async () => {
    const onlyMessages = new WrapKeyring([writing(keyProvider("acme")), reading(() => null)]);
    await refusal("unsupported-operation", () => onlyMessages.onEncrypt(forWriting()));
    const onlyObjects = new WrapKeyring([writing(AES_GCM)]);
    await refusal("unsupported-operation", () => onlyObjects.onEncrypt(forWriting(BY_PROVIDER)));
  });

  it("takes a data key that the store made, and zeroes its bytes, but wraps one that is there", async () => {
    const dataKey = Uint8Array.from(bytes(1, 32));
    const wraps = [{ ...writing(OWN, bytes(2, 4)), generate: () => ({ dataKey, ciphertext: bytes(3, 4) }) }];
    const generated = await new WrapKeyring(wraps).onEncrypt(forWriting());
    expect(generated.dataKey?.export()).to.deep.equal(Buffer.from(bytes(1, 32)));
    expect(generated.encryptedDataKeys[0]?.ciphertext).to.deep.equal(bytes(3, 4));
    expect(dataKey.every((byte) => byte === 0)).to.equal(true);
    const again = await new WrapKeyring(wraps).onEncrypt(generated);
    expect(again.encryptedDataKeys[1]?.ciphertext).to.deep.equal(bytes(2, 4));
    expect(again.dataKey).to.equal(generated.dataKey);
  });

  it("tells a wrap that CBC content may be bound to GCM only where that is asked for (H1)", async () => {
    const bindings: (readonly string[])[] = [];
    const wrap = reading((_wrapped, expected) => {
      bindings.push(expected.bindings);
      return null;
    });
    for (const options of [undefined, {}, { acceptGcmForCbc: true }]) {
      await new WrapKeyring([wrap], options).onDecrypt(forReading(CBC), [wrapped]);
    }
    expect(bindings).to.deep.equal([[CBC.storedName], [CBC.storedName], [CBC.storedName, GCM.storedName]]);
  });

  it("refuses to store what is no wrap", async () => {
    for (const nothing of [undefined, { ciphertext: new Uint8Array(0) }, { ciphertext: "a text" }]) {
      const wrap = { algorithm: OWN, wrap: () => nothing } as unknown as Wrap;
      await refusal("invalid-configuration", () => new WrapKeyring([wrap]).onEncrypt(forWriting()));
    }
  });

  it("tells which of its wraps a wrapped key would open blindly", () => {
    const blind = (answer: "selected" | "possible" | null, algorithm = OWN): Wrap => ({
      ...reading(() => null, algorithm),
      blindMatch: () => answer,
    });
    const wraps = [blind("possible"), blind(null), reading(() => null), blind("selected"), blind("selected", OTHER)];
    expect(new WrapKeyring(wraps).blindMatches(wrapped)).to.deep.equal(["possible", "selected"]);
  });

  it("opens with whichever wrap opens, and zeroes what it was given", async () => {
    const dataKey = Uint8Array.from(bytes(1, 32));
    const failing = reading(() => {
      throw new Error("A store of somebody's.");
    });
    const opened = await read(
      reading(() => null),
      reading(() => undefined),
      failing,
      reading(() => dataKey),
    );
    expect(opened?.dataKey?.export()).to.deep.equal(Buffer.from(bytes(1, 32)));
    expect(dataKey.every((byte) => byte === 0)).to.equal(true);
  });

  it("answers null where nothing is for it: another algorithm, another key, or a wrap that such an object cannot hold", async () => {
    const never = (): never => {
      throw new Error("It was asked.");
    };
    expect(await read()).to.equal(null);
    expect(await read(reading(() => null))).to.equal(null);
    expect(await read(reading(never, OTHER), writing(OWN))).to.equal(null);
    const foreign = [encryptedDataKey(AES_GCM, bytes(0, 60)), encryptedDataKey(AES_WRAP, bytes(0, 40))];
    const keyring = new WrapKeyring([reading(never, AES_GCM), reading(never, AES_WRAP)]);
    expect(await keyring.onDecrypt(forReading(BY_PROVIDER), foreign)).to.equal(null);
    const provider = keyProvider("acme");
    const providers = new WrapKeyring([reading(never, provider)]);
    expect(await providers.onDecrypt(forReading(GCM), [encryptedDataKey(provider, bytes(0, 60))])).to.equal(null);
  });

  it("refuses in the same words what does not open, has another length, or is no bytes, and zeroes it (S16)", async () => {
    const short = Uint8Array.from(bytes(1, 16));
    const unwraps: NonNullable<Wrap["unwrap"]>[] = [
      () => undefined,
      () => short,
      () => "a text that has thirty-two letters." as unknown as Uint8Array,
      () => Promise.reject(new TypeError("fetch failed")),
    ];
    for (const unwrap of unwraps) {
      const { message } = await refusal("decryption-failed", () => read(reading(unwrap)));
      expect(message).to.equal(decryptionFailed().message);
    }
    expect(short.every((byte) => byte === 0)).to.equal(true);
  });

  it("passes typed errors on: the first, but for a key that is not at hand", async () => {
    const fails = (code: "no-matching-key" | "key-unavailable" | "context-mismatch") =>
      reading(() => {
        throw new S3EncryptionError(code, `It was ${code}.`);
      });
    await refusal("no-matching-key", () =>
      read(
        reading(() => null),
        fails("no-matching-key"),
      ),
    );
    await refusal("key-unavailable", () => read(fails("key-unavailable"), fails("context-mismatch")));
    await refusal("decryption-failed", () =>
      read(
        fails("no-matching-key"),
        reading(() => undefined),
      ),
    );
  });
});
