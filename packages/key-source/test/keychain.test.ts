import { randomBytes, randomUUID } from "node:crypto";
import { AsyncEntry } from "@napi-rs/keyring";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { type KeySource, loadKey } from "../dist/index.js";

const account = `test-${randomUUID()}`;
const source = { keychain: "s3ec-tests", account } as const;

describe("the operating system's keychain", () => {
  let entry: AsyncEntry | undefined;
  before(async () => {
    const made = new AsyncEntry(source.keychain, account);
    // A server, and most machines of a CI, have none that is open.
    entry = await made.setPassword("x").then(
      () => made,
      () => undefined,
    );
    if (entry === undefined) console.log("      without an open keychain: only its refusal is tested");
  });
  after(async () => {
    await entry?.deletePassword();
  });

  const problem = async (wanted: KeySource): Promise<string> =>
    (await refusal("invalid-argument", loadKey(wanted, { type: "aes" }))).message;

  it("refuses what is not in it, or a keychain that is not there", async () => {
    // One that takes no entry may not be readable, or be read as empty: seen of one machine, both, minutes apart.
    const refused =
      entry === undefined ? "(cannot be read: it is locked, or there is none|has no such entry)" : "has no such entry";
    expect(await problem({ ...source, account: `${account}-other` })).to.match(
      new RegExp(`: the keychain of this machine ${refused}`),
    );
  });

  it("has a key, as text in base64", async function () {
    if (entry === undefined) return this.skip();
    const key = randomBytes(32);
    await entry.setPassword(key.toString("base64"));
    const options = { type: "aes" } as const;
    expect((await loadKey({ ...source, encoding: "base64" }, options)).export().equals(key)).to.equal(true);
    await entry.setPassword("a pass phrase");
    expect((await loadKey(source, { type: "text" })).export().toString()).to.equal("a pass phrase");
  });

  for (const wrong of [{ keychain: "s3ec-tests" }, { keychain: "", account: "x" }, { keychain: "x", account: 1 }]) {
    it(`refuses ${JSON.stringify(wrong)}`, async () => {
      expect(await problem(wrong as never)).to.match(
        /expected the entry of a keychain as \{ "keychain": service, "account"/,
      );
    });
  }
});
