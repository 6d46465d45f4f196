import { configurationJsonSchema } from "@s3ec/container";
import { expect } from "chai";
import { asOptions, inOptions } from "../dist/option-names.js";

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
    ["leave instructionFileSuffix and preferInstructionFile out", "leave --suffix out"],
    ["cannot be resumed: leave resume out.", "cannot be resumed: leave --resume out."],
    [
      "The state of an upload is kept there: name another place by resume: { state }.",
      "The state of an upload is kept there: put a copy of the file from a folder that takes it, or leave --resume out.",
    ],
    [
      "a folder of yours that stays, or pass resume: { secret } (32 bytes, the same in each process).",
      "a folder of yours that stays.",
    ],
    ["into 10000 parts; choose a larger partSize.", "into 10000 parts; say how long it is (s3ec cp --expected-size)."],
    ['Say its tags anew: TaggingDirective: "REPLACE".', "Say its tags anew: --tags."],
    ['It has some. To go on without them: AnnotationDirective: "EXCLUDE".', "It has some."],
    // What only a configuration says.
    ["set instructionFileConfig.replaceUnknownFiles", "set client.instructionFileConfig.replaceUnknownFiles"],
    ["is disabled (disableInstructionFile)", "is disabled (client.instructionFileConfig.disableInstructionFile)"],
    ["the former ids, too (formerKeyIds)", 'the former ids, too ("formerKeyIds" of the keyring in the configuration)'],
    ["may be held (maxFrameLength)", 'may be held ("maxFrameLength" of the format in client.formats)'],
    ["a larger one in spool.directory", "a larger one in client.spool.directory"],
    ["or of another format, name that in formats.", "or of another format, name that in client.formats."],
    // What is not ours, and what has its name already.
    ["client.bufferSize, theencryptionContext", "client.bufferSize, theencryptionContext"],
    ["/src/encryptionContext.ts and s3://b/bufferSize/a", "/src/encryptionContext.ts and s3://b/bufferSize/a"],
    ["The formats are V1, V2 and V3.", "The formats are V1, V2 and V3."],
  ] as const) {
    it(`${said}: as the command line calls it`, () => expect(asOptions(said)).to.equal(shown));
  }

  it("every field of a configuration's client is named as one", () => {
    const { $defs } = configurationJsonSchema() as { $defs: { configuration: { properties: Properties } } };
    const { client } = $defs.configuration.properties;
    const { instructionFileConfig, ...fields } = client?.properties ?? {};
    const files = Object.keys(instructionFileConfig?.properties ?? {});
    expect(files).to.include("replaceUnknownFiles");
    // A word of its own, or behind the name of the field that it is in.
    const inSentences = new Set(["formats", "spool", "suffix", "replaceUnknownFiles"]);
    const isMissing = (name: string): boolean =>
      !inSentences.has(name) && !asOptions(`set ${name}.`).startsWith("set client.");
    expect([...Object.keys(fields), ...files].filter(isMissing)).to.deep.equal([]);
  });

  it("in what is said of each of many", () => {
    const wraps = [{ whyNot: "Set commitmentPolicy.", place: "encryptionContext" }];
    expect(inOptions({ Key: "bufferSize", problem: "Pass instructionFileSuffix.", wraps })).to.deep.equal({
      Key: "bufferSize",
      problem: "Pass --suffix.",
      wraps: [{ whyNot: "Set client.commitmentPolicy.", place: "encryptionContext" }],
    });
  });
});

type Properties = Readonly<Record<string, { readonly properties?: Properties }>>;
