import { createPublicKey } from "node:crypto";
import { EMPTY_STRING_MAP } from "@s3ec/envelope";
import { printedBy } from "@s3ec/test-support";
import { expect } from "chai";
import { CONTEXT_PUBLIC_KEY, createSigningKey, verificationKeyOf } from "../dist/signing-key.js";

describe("a signing key of one message", () => {
  for (const curve of ["P-256", "P-384"] as const) {
    it(`puts the compressed point of its ${curve} public key in the context`, () => {
      const signature = { curve, hash: "sha384" } as const;
      const { signingKey, encryptionContext } = createSigningKey(signature, EMPTY_STRING_MAP);
      const point = Buffer.from(encryptionContext[CONTEXT_PUBLIC_KEY] ?? "", "base64");
      expect(point).to.have.length(curve === "P-256" ? 33 : 49);
      expect(verificationKeyOf(signature, encryptionContext).equals(createPublicKey(signingKey))).to.equal(true);
    });
  }

  it("does not wait for a lock that a garbage collection wants, too", async () => {
    const module = new URL("../dist/signing-key.js", import.meta.url).href;
    const code = `
      import { createSigningKey } from ${JSON.stringify(module)};
      for (let i = 0; i < 15_000; i++) createSigningKey({ curve: "P-256" }, {});
      console.log("done");`;
    expect(await printedBy(code, ["--max-semi-space-size=1"])).to.equal("done\n");
  });
});
