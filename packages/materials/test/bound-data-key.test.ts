import { CBC, COMMITTING_GCM, GCM } from "@s3ec/envelope";
import { forReading } from "@s3ec/test-support";
import { expect } from "chai";
import { bindDataKey, expectedDataKey, unbindDataKey } from "../dist/bound-data-key.js";

const DATA_KEY = Buffer.alloc(32, 7);
const EXPECTED = { bindings: ["115"], dataKeyLengths: [32] };

describe("bindDataKey and unbindDataKey", () => {
  it("lay out length, data key and binding (docs/formats.md 1.4)", () => {
    const bound = bindDataKey(DATA_KEY, "115");
    expect(bound).to.deep.equal(Buffer.concat([Buffer.of(32), DATA_KEY, Buffer.from("115")]));
    expect(unbindDataKey(bound, EXPECTED)).to.deep.equal(Uint8Array.from(DATA_KEY));
  });

  it("give a copy, so that both can be zeroed", () => {
    const bound = bindDataKey(DATA_KEY, "115");
    const dataKey = unbindDataKey(bound, EXPECTED);
    bound.fill(0);
    expect(dataKey).to.deep.equal(Uint8Array.from(DATA_KEY));
    expect(DATA_KEY).to.deep.equal(Buffer.alloc(32, 7));
  });

  it("accept any of several bindings and lengths", () => {
    const expected = { bindings: ["AES/CBC/PKCS5Padding", "AES/GCM/NoPadding"], dataKeyLengths: [16, 24, 32] };
    const short = DATA_KEY.subarray(0, 16);
    expect(unbindDataKey(bindDataKey(short, "AES/GCM/NoPadding"), expected)).to.deep.equal(Uint8Array.from(short));
    expect(unbindDataKey(bindDataKey(short, "115"), expected)).to.equal(undefined);
  });

  const wrong: readonly [string, Uint8Array][] = [
    ["nothing", new Uint8Array(0)],
    ["a binding alone", Buffer.from("115")],
    ["another length byte", Buffer.concat([Buffer.of(31), DATA_KEY, Buffer.from("115")])],
    ["another binding", bindDataKey(DATA_KEY, "116")],
    ["a byte more", bindDataKey(DATA_KEY, "115\0")],
    ["a byte less", bindDataKey(DATA_KEY, "11")],
    ["a key of another length (H19)", bindDataKey(DATA_KEY.subarray(0, 16), "115")],
  ];
  for (const [what, bound] of wrong) {
    it(`refuse ${what} (S2)`, () => {
      expect(unbindDataKey(bound, EXPECTED)).to.equal(undefined);
    });
  }
});

describe("expectedDataKey", () => {
  it("expects the binding that is stored, and the lengths of the suite", () => {
    for (const suite of [CBC, GCM, COMMITTING_GCM]) {
      const expected = expectedDataKey(forReading(suite, { algorithmBinding: "as stored" }));
      expect(expected).to.deep.equal({ bindings: ["as stored"], dataKeyLengths: suite.dataKeyLengths });
    }
  });

  it("lets CBC content be bound to GCM where that is asked for, and nothing else (H1)", () => {
    expect(expectedDataKey(forReading(CBC), true).bindings).to.deep.equal([CBC.storedName, "AES/GCM/NoPadding"]);
    for (const suite of [GCM, COMMITTING_GCM]) {
      expect(expectedDataKey(forReading(suite), true).bindings).to.deep.equal([suite.storedName]);
    }
  });
});
