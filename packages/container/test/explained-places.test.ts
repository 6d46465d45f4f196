import { configuredAccess, explainConfiguration, loadConfiguration } from "@s3ec/container";
import { expect } from "chai";

const kms = (name: string, more: object = {}) => ({ type: "kms", keyId: `alias/${name}`, ...more });
const multi = (child: object) => ({ type: "multi", generator: kms("app"), children: [child] });
const partner = { keyring: kms("partner"), instructionFileSuffix: ".partner" };

describe("what a configuration says of wrapped keys beside objects", () => {
  const accessOf = async (configuration: object) =>
    configuredAccess((await loadConfiguration(configuration, { onWarning: () => {} })).configuration);

  it("those of children are in annotations where they are put there", async () => {
    const configuration = { keyring: multi(partner), client: { wrapPlacement: "annotations" } };
    const { written, reads } = await explainConfiguration(configuration);
    expect(written.at(-1)).to.match(/alias\/partner, stored in the object's annotation "x-s3ec\/partner"\.$/);
    expect(reads.at(-1)).to.match(/alias\/partner, in objects and their annotations\.$/);
    expect((await accessOf(configuration)).writesBeside).to.equal("annotations");
  });

  it("those of children are in files, and nothing is where no child wraps, or where messages are written", async () => {
    expect((await accessOf({ keyring: multi(partner) })).writesBeside).to.equal("files");
    const reading = { keyring: kms("old"), decryptOnly: true };
    const { writesBeside, kms: uses } = await accessOf({ keyring: multi(reading) });
    expect(writesBeside).to.equal("nothing");
    expect(uses.map(({ keyId, role }) => `${keyId} ${role}`)).to.deep.equal([
      "alias/app generator",
      "alias/old reader",
    ]);
    const formats = [{ type: "aws-message" }, { type: "s3" }];
    expect((await accessOf({ keyring: multi(partner), client: { formats } })).writesBeside).to.equal("nothing");
  });

  it("former KMS keys read, and nothing more", async () => {
    const configuration = { keyring: kms("app", { formerKeyIds: ["1234"] }) };
    expect((await explainConfiguration(configuration)).reads).to.deep.equal([
      "What is wrapped with the KMS key alias/app.",
      "What is wrapped with the former KMS key 1234.",
    ]);
    expect((await accessOf(configuration)).kms.map(({ keyId, role }) => [keyId, role])).to.deep.equal([
      ["alias/app", "generator"],
      ["1234", "reader"],
    ]);
  });
});
