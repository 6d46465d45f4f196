import { expect } from "chai";
import { CLIENT_NAMES, type ClientName } from "../../dist/objects/job.js";
import { storedObjects, wrapOf } from "../../dist/objects/stored-object.js";

describe("storedObjects", () => {
  it("lets every client write every size in every place that it knows", () => {
    const objects = storedObjects(new Set(CLIENT_NAMES));
    expect(new Set(objects.map(({ writer }) => writer))).to.deep.equal(new Set(CLIENT_NAMES));
    for (const writer of CLIENT_NAMES) {
      const sizes = new Set(objects.filter((object) => object.writer === writer).map(({ size }) => size));
      expect([...sizes], writer).to.have.members([0, 1, 16, 17, 65_537, 6 * 1024 * 1024]);
    }
  });

  it("never names the same object twice", () => {
    const objects = storedObjects(new Set(CLIENT_NAMES)).map((object) => JSON.stringify(object));
    expect(new Set(objects).size).to.equal(objects.length);
  });

  it("has children from Java where its wraps are in files, and from ours in both placements", () => {
    const withChild = storedObjects(new Set(CLIENT_NAMES)).filter(({ child }) => child === true);
    const kinds = withChild.map(({ writer, keyring, suite, placement }) =>
      [writer, keyring, suite, placement].join(" "),
    );
    expect(kinds).to.include.members(["java-v4 aes committing instruction-file", "java-v3 rsa gcm instruction-file"]);
    for (const keyring of ["aes", "rsa", "kms"]) {
      for (const suite of ["gcm", "committing"]) {
        expect(kinds).to.include(`ours ${keyring} ${suite} instruction-file`);
        expect(kinds).to.include(`ours ${keyring} ${suite} metadata`);
      }
    }
    expect(kinds).not.to.include("java-v4 aes committing metadata");
  });

  it("writes nothing for clients that do not run", () => {
    const clients: ReadonlySet<ClientName> = new Set(["ruby-v1"]);
    expect(new Set(storedObjects(clients).map(({ writer }) => writer))).to.deep.equal(clients);
  });
});

describe("wrapOf", () => {
  it("knows the wraps of the first generations (docs/formats.md 2.1, 2.5, 2.7)", () => {
    expect(wrapOf({ writer: "java-v1-eo", keyring: "rsa" })).to.equal("none");
    expect(wrapOf({ writer: "java-v1-ae", keyring: "rsa" })).to.equal("OAEP-SHA256");
    expect(wrapOf({ writer: "java-v1-strict", keyring: "aes" })).to.equal("AESWrap");
    expect(wrapOf({ writer: "go-s3crypto-v1", keyring: "kms" })).to.equal("kms");
    expect(wrapOf({ writer: "ruby-v1", keyring: "kms" })).to.equal("kms");
  });

  it("is one of the three modern wraps for everyone else", () => {
    expect(wrapOf({ writer: "ours", keyring: "aes" })).to.equal("AES/GCM");
    expect(wrapOf({ writer: "java-v2-strict", keyring: "rsa" })).to.equal("RSA-OAEP-SHA1");
    expect(wrapOf({ writer: "go-s3crypto-v2", keyring: "kms" })).to.equal("kms+context");
  });
});
