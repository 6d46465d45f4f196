import { createSecretKey } from "node:crypto";
import { CBC, GCM } from "@s3ec/envelope";
import { expect } from "chai";
import { OpenedContent } from "../dist/opened-content.js";

describe("a range of content whose key was unwrapped (S12)", () => {
  const key = createSecretKey(Buffer.alloc(32, 1));
  const gcm = new OpenedContent({ suite: GCM, key, iv: Buffer.alloc(12, 1), aad: Buffer.alloc(0) }, {});
  const cbc = (metadata = {}): OpenedContent =>
    new OpenedContent({ suite: CBC, key, iv: Buffer.alloc(16, 1), aad: Buffer.alloc(0) }, metadata);

  it("is none behind the end", () => {
    expect(gcm.range({ first: 1000 }, 1016)).to.equal(undefined);
    expect(cbc().range({ first: 112 }, 112)).to.equal(undefined);
  });

  it("says what it gives, and of how much", () => {
    expect(gcm.range({ first: 990, last: 2000 }, 1016)).to.include({
      first: 990,
      last: 999,
      endsEarlier: false,
      total: 1000,
    });
    expect(gcm.range({ first: 17, last: 40 }, 1016)).to.include({
      first: 17,
      last: 40,
      endsEarlier: false,
      total: 1000,
    });
  });

  it("of CBC may end earlier than it says, by its padding, where its length is not stated", () => {
    expect(cbc().range({ first: 20, last: 40 }, 112)).to.include({ first: 20, last: 40, endsEarlier: false });
    const last = cbc().range({ first: 90 }, 112);
    expect(last).to.include({ first: 90, endsEarlier: true });
    expect(last?.total).to.equal(undefined);
    const stated = cbc({ "x-amz-unencrypted-content-length": "100" }).range({ first: 90 }, 112);
    expect(stated).to.include({ first: 90, last: 99, endsEarlier: false, total: 100 });
  });
});
