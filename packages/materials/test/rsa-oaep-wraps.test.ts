import { bytes } from "@s3ec/test-support";
import { expect } from "chai";
import { type RsaOaep, rsaOaepWrap } from "../dist/index.js";

const isZero = (buffer: Uint8Array) => buffer.every((byte) => byte === 0);

describe("the RSA-OAEP wrap of the S3 formats", () => {
  const seen: Uint8Array[] = [];
  const rsa: RsaOaep<string> = {
    encrypt: (data) => {
      seen.push(data);
      return Uint8Array.from(data);
    },
    decrypt: (_key, ciphertext) => {
      const data = Uint8Array.from(ciphertext);
      seen.push(data);
      return data;
    },
  };
  const { wrap, unwrap } = rsaOaepWrap(rsa);

  it("zeroes the bound data key that it lends and takes, and leaves the data key itself alone", async () => {
    const dataKey = Uint8Array.from(bytes(1, 32));
    const wrapped = (await wrap?.("own", dataKey, "115")) ?? new Uint8Array(0);
    expect(dataKey).to.deep.equal(bytes(1, 32));
    const expected = { bindings: ["115"], dataKeyLengths: [32] };
    expect(await unwrap("own", wrapped, expected)).to.deep.equal(bytes(1, 32));
    expect(await unwrap("own", wrapped, { ...expected, bindings: ["116"] })).to.equal(undefined);
    expect(seen.map(isZero)).to.deep.equal([true, true, true]);
  });

  it("zeroes it where the encryption fails", () => {
    const failing = rsaOaepWrap<string>({
      ...rsa,
      encrypt: (data) => {
        seen.push(data);
        throw new Error("The token is gone.");
      },
    });
    expect(() => failing.wrap?.("own", bytes(1, 32), "115")).to.throw("The token is gone.");
    expect(isZero(seen.at(-1) ?? bytes(1, 1))).to.equal(true);
  });
});
