import crypto, { createSecretKey, type KeyObject } from "node:crypto";
import { replacingCrypto, wrapRfc3394 } from "@s3ec/test-support";
import { expect } from "chai";

const KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const DATA = "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f";

/** RFC 3394 section 4: the lengths of key and data in bytes, and the ciphertext. */
const ANSWERS: readonly { section: string; key: number; data: number; wrapped: string }[] = [
  { section: "4.1", key: 16, data: 16, wrapped: "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5" },
  { section: "4.2", key: 24, data: 16, wrapped: "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d" },
  { section: "4.3", key: 32, data: 16, wrapped: "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7" },
  { section: "4.4", key: 24, data: 24, wrapped: "031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2" },
  { section: "4.5", key: 32, data: 24, wrapped: "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1" },
  {
    section: "4.6",
    key: 32,
    data: 32,
    wrapped: "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
  },
];

type Unwrap = (key: KeyObject, wrapped: Uint8Array) => Uint8Array | undefined;

/** The module as a process loads it that has asked its runtime for nothing yet. */
async function loaded(name: string): Promise<Unwrap> {
  const module: { unwrapRfc3394: Unwrap } = await import(`../dist/rfc3394.js?${name}`);
  return module.unwrapRfc3394;
}

/** What `createDecipheriv` is in each runtime, and how often key wrap was asked of it. */
function runtimes(): Readonly<Record<string, { readonly asked: string[]; readonly createDecipheriv: unknown }>> {
  const original = crypto.createDecipheriv;
  const withKeyWrap = (wrap: (...given: Parameters<typeof original>) => unknown) => {
    const asked: string[] = [];
    const createDecipheriv = (...given: Parameters<typeof original>): unknown => {
      asked.push(given[0]);
      return given[0].endsWith("-wrap") ? wrap(...given) : original(...given);
    };
    return { asked, createDecipheriv };
  };
  return {
    node: withKeyWrap(original),
    "none-such": withKeyWrap(() => {
      throw new Error("Unknown cipher");
    }),
    "answers-otherwise": withKeyWrap(() => ({ update: () => Buffer.alloc(32) })),
  };
}

describe("RFC 3394", () => {
  it("is how tests make what is to be opened", () => {
    const [key, data] = [Buffer.from(KEY, "hex"), Buffer.from(DATA, "hex")];
    const made = ANSWERS.map((each) =>
      wrapRfc3394(key.subarray(0, each.key), data.subarray(0, each.data)).toString("hex"),
    );
    expect(made).to.deep.equal(ANSWERS.map(({ wrapped }) => wrapped));
  });

  for (const [name, { asked, createDecipheriv }] of Object.entries(runtimes())) {
    describe(`where the runtime's key wrap is: ${name}`, () => {
      const open = async (key: KeyObject, wrapped: Uint8Array): Promise<string | undefined> => {
        const opened: (Uint8Array | undefined)[] = [];
        const unwrap = await loaded(name);
        await replacingCrypto({ createDecipheriv: createDecipheriv as never }, () => {
          opened.push(unwrap(key, wrapped));
        });
        return opened[0] === undefined ? undefined : Buffer.from(opened[0]).toString("hex");
      };

      for (const { section, key, data, wrapped } of ANSWERS) {
        it(`opens the vector of ${section}`, async () => {
          const secret = createSecretKey(Buffer.from(KEY, "hex").subarray(0, key));
          expect(await open(secret, Buffer.from(wrapped, "hex"))).to.equal(DATA.slice(0, 2 * data));
        });

        it(`opens the vector of ${section} no more once any byte of it has changed`, async () => {
          const secret = createSecretKey(Buffer.from(KEY, "hex").subarray(0, key));
          for (let index = 0; index < data + 8; index++) {
            const changed = Buffer.from(wrapped, "hex");
            changed.writeUInt8(changed.readUInt8(index) ^ 0x01, index);
            expect(await open(secret, changed)).to.equal(undefined);
          }
        });
      }

      it("was asked of the runtime once, unless it is right", () => {
        const wraps = asked.filter((cipher) => cipher.endsWith("-wrap")).length;
        expect(asked.length).to.be.greaterThan(ANSWERS.length);
        if (name !== "node") expect(wraps).to.equal(1);
      });
    });
  }
});
