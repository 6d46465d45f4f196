import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

function run(example: string): string[] {
  const file = fileURLToPath(new URL(`../../../docs/examples/${example}`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--no-warnings", file], { encoding: "utf8" });
  expect(status, stderr).to.equal(0);
  return stdout.split(/\r?\n/).filter((line) => line !== "");
}

describe("examples of the docs", () => {
  it("read-ses-mail.mjs prints the mail", () => {
    expect(run("read-ses-mail.mjs")).to.deep.equal(["From: a@example.com", "Subject: Hello", "The mail."]);
  });

  it("rotate-keys.mjs adds escrow to an object, replaces the application's key, and has the old one refused", () => {
    const printed = run("rotate-keys.mjs").map((line) => line.replace(/\/[0-9a-f-]{36}/, "/ID"));
    expect(printed).to.have.length.of.at.most(30);
    expect(printed).to.deep.equal([
      "Stored: V3, wrapped with kms+context, metadata",
      "Escrow added: in its annotation x-s3ec/escrow/ID, verified: unverified",
      "Stored: V3, wrapped with kms+context, metadata",
      '  and for "escrow" with RSA-OAEP-SHA1, annotation',
      "Moved: in its metadata, inside KMS, verified: envelope",
      "  not as before: last-modified, unpinned-metadata",
      "Stored: V3, wrapped with kms+context, metadata",
      '  and for "escrow" with RSA-OAEP-SHA1, annotation',
      "alias/app-2026 reads: Written in 2024.",
      "The safe reads: Written in 2024.",
      "alias/app-2024 is refused: no-matching-key",
    ]);
  });

  it("read-java.mjs names the missing switch each time, then reads", () => {
    expect(run("read-java.mjs")).to.deep.equal([
      "commitment-policy: The commitment policy REQUIRE_ENCRYPT_REQUIRE_DECRYPT does not allow decrypting ALG_AES_256_CBC_IV16_NO_KDF (format V1); set commitmentPolicy to REQUIRE_ENCRYPT_ALLOW_DECRYPT to read it.",
      "legacy-disabled: Enable legacy unauthenticated modes to use legacy content decryption: ALG_AES_256_CBC_IV16_NO_KDF; set enableLegacyUnauthenticatedModes to true to read it.",
      "legacy-disabled: Enable legacy wrapping algorithms to use legacy key wrapping algorithm: RSA; set enableLegacyWrappingAlgorithms to true to read it.",
      "Written in 2014.",
    ]);
  });
});
