import { expect } from "chai";
import { asOptions } from "../dist/option-names.js";

describe("what the client says of its options", () => {
  for (const [said, shown] of [
    ['drop them: dropRecipients: [".escrow", "it\'s \u0024x"].', "drop them: --drop .escrow --drop 'it'\\''s $x'."],
    ['allow it by name: allowLoss: ["kms-context"].', "allow it by name: --allow-loss kms-context."],
    ["pass that (SSEKMSEncryptionContext)", "pass that (--kms-context)"],
    ['say so (owner: "same", and no verify: "content")', "say so (--same-owner, and no --verify content)"],
    ["its encryptionContext and to.encryptionContext", "its --context and --to-context"],
    ["is given so: to.encryptionContext: {}.", "is given so: --no-to-context."],
    ['in files (in: "instruction-file")', "in files (--in instruction-file)"],
    ["it is still wanted (addRecipient, migrateObject)", "it is still wanted (s3ec recipients add, s3ec migrate)"],
    // What only a configuration says, and what is not ours.
    ["set instructionFileConfig.replaceUnknownFiles", "set instructionFileConfig.replaceUnknownFiles"],
    ["enableUncommittedChildren, theencryptionContext", "enableUncommittedChildren, theencryptionContext"],
  ] as const) {
    it(`${said}: as the command line calls it`, () => expect(asOptions(said)).to.equal(shown));
  }
});
