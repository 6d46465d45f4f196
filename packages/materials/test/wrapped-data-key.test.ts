import { createSecretKey } from "node:crypto";
import { AES_GCM, COMMITTING_GCM } from "@s3ec/envelope";
import { bytes, encryptedDataKey, forWriting } from "@s3ec/test-support";
import { expect } from "chai";
import { withWrappedDataKey } from "../dist/index.js";

const DATA_KEY = createSecretKey(bytes(1, 32));

describe("withWrappedDataKey", () => {
  it("adds the wrap of a fresh data key where there is none, and keeps that key", async () => {
    const given = forWriting(COMMITTING_GCM);
    const first = await withWrappedDataKey(given, (dataKey) => encryptedDataKey(AES_GCM, Uint8Array.from(dataKey)));
    expect(first.dataKey.symmetricKeySize).to.equal(32);
    expect(Buffer.from(first.encryptedDataKeys[0]?.ciphertext ?? []).equals(first.dataKey.export())).to.equal(true);
    const second = await withWrappedDataKey(given, () => encryptedDataKey(AES_GCM, bytes(0, 1)));
    expect(second.dataKey.equals(first.dataKey)).to.equal(false);
    expect(given).to.not.have.property("dataKey");
    expect(given.encryptedDataKeys).to.deep.equal([]);
  });

  it("wraps the data key that is there, behind the wraps that are there", async () => {
    const earlier = encryptedDataKey(AES_GCM, bytes(0, 60));
    const added = encryptedDataKey(AES_GCM, bytes(9, 60));
    const given = forWriting(COMMITTING_GCM, { dataKey: DATA_KEY, encryptedDataKeys: [earlier] });
    const written = await withWrappedDataKey(given, (dataKey) => {
      expect(Buffer.from(dataKey).equals(DATA_KEY.export())).to.equal(true);
      return added;
    });
    expect(written.dataKey).to.equal(DATA_KEY);
    expect(written.encryptedDataKeys).to.deep.equal([earlier, added]);
    expect(written).to.be.frozen;
    expect(written.encryptedDataKeys).to.be.frozen;
  });

  it("zeroes the bytes that it lent once the wrap is done, however it ends", async () => {
    const lent: Uint8Array[] = [];
    const given = forWriting(COMMITTING_GCM, { dataKey: DATA_KEY });
    await withWrappedDataKey(given, async (dataKey) => {
      await new Promise(setImmediate);
      lent.push(dataKey);
      expect(Buffer.from(dataKey).equals(DATA_KEY.export())).to.equal(true);
      return encryptedDataKey(AES_GCM, bytes(0, 60));
    });
    const failed = new Error("The key store is away.");
    const failing = withWrappedDataKey(given, (dataKey) => {
      lent.push(dataKey);
      throw failed;
    });
    expect(await failing.catch((error: unknown) => error)).to.equal(failed);
    expect(lent.map((each) => Buffer.from(each).equals(Buffer.alloc(32)))).to.deep.equal([true, true]);
  });
});
