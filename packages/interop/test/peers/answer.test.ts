import { createHash } from "node:crypto";
import { expect } from "chai";
import { answerOf } from "../../dist/peers/answer.js";

describe("answerOf", () => {
  it("says how long the plaintext is and what its SHA-256 is", async () => {
    const bytes = Buffer.from("plaintext");
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    expect(await answerOf(() => bytes)).to.deep.equal({ ok: true, length: 9, sha256 });
  });

  it("is an answer for whatever is thrown, at once or later, so that one refusal does not end the run", async () => {
    const refusal = Object.assign(new Error("no such key"), { code: "no-matching-key" });
    const expected = { ok: false, error: "no-matching-key", message: "no such key" };
    const atOnce = answerOf(() => {
      throw refusal;
    });
    expect(await atOnce).to.deep.equal(expected);
    expect(await answerOf(() => Promise.reject(refusal))).to.deep.equal(expected);
    expect(await answerOf(() => Promise.reject(new TypeError("not so")))).to.include({ error: "TypeError" });
    expect(await answerOf(() => Promise.reject("text"))).to.deep.equal({ ok: false, error: "Thrown", message: "text" });
  });
});
