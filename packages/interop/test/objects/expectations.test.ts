import { expect } from "chai";
import { readVerdict, writeVerdict } from "../../dist/objects/expectations.js";
import { CLIENT_NAMES } from "../../dist/objects/job.js";
import { hasKeyring, isOurs, storedObjects, wrapOf } from "../../dist/objects/stored-object.js";

const OBJECTS = storedObjects(new Set(CLIENT_NAMES)).filter((object) => writeVerdict(object).outcome === "ok");

describe("readVerdict", () => {
  it("expects ours to open whatever anybody writes, once every switch is on", () => {
    for (const object of OBJECTS) {
      expect(readVerdict(object, "ours", "all-switches").outcome, JSON.stringify(object)).to.equal("ok");
    }
  });

  it("expects ours with keys in a token to open whatever is wrapped by the current wraps of AES and RSA keys", () => {
    for (const object of OBJECTS.filter(({ keyring }) => hasKeyring("ours-pkcs11", keyring))) {
      const verdict = readVerdict(object, "ours-pkcs11", "all-switches");
      const isCurrent = ["AES/GCM", "RSA-OAEP-SHA1"].includes(wrapOf(object));
      expect(verdict, JSON.stringify(object)).to.include(
        isCurrent ? { outcome: "ok" } : { outcome: "refused", code: "no-matching-key" },
      );
    }
  });

  it("expects ours to open committing objects only, by default", () => {
    for (const object of OBJECTS) {
      const verdict = readVerdict(object, "ours", "defaults");
      if (object.suite === "committing") expect(verdict.outcome).to.equal("ok");
      else expect(verdict).to.include({ outcome: "refused", code: "commitment-policy" });
    }
  });

  it("expects every client of the last generation to open what ours writes", () => {
    const ours = OBJECTS.filter(({ writer, customSuffix }) => isOurs(writer) && !customSuffix);
    for (const reader of ["java-v4", "go-v4", "python-v4"] as const) {
      const readable = ours.filter(({ keyring, entries }) => {
        const refusedByPython = reader === "python-v4" && entries === "non-ascii";
        return hasKeyring(reader, keyring) && !refusedByPython;
      });
      expect(readable).not.to.be.empty;
      for (const object of readable) {
        expect(readVerdict(object, reader, "all-switches").outcome, JSON.stringify(object)).to.equal("ok");
      }
    }
  });

  it("expects Java to open a child's file only where the metadata holds no wrapped key", () => {
    const withChild = OBJECTS.filter(({ writer, child }) => writer === "ours" && child === true);
    expect(new Set(withChild.map(({ placement }) => placement)).size).to.equal(2);
    for (const object of withChild) {
      const outcome = object.placement === "metadata" ? "refused" : "ok";
      expect(readVerdict(object, "java-v4", "as-child").outcome, JSON.stringify(object)).to.equal(outcome);
      expect(readVerdict(object, "java-v4", "all-switches").outcome, JSON.stringify(object)).to.equal("ok");
      expect(readVerdict(object, "ours", "as-child").outcome, JSON.stringify(object)).to.equal("ok");
    }
  });

  it("expects ours to open the children that Java adds, with a key in a token too", () => {
    const javas = OBJECTS.filter(({ writer, child }) => writer.startsWith("java-") && child === true);
    expect(javas).not.to.be.empty;
    for (const object of javas) {
      for (const reader of ["ours", "ours-pkcs11"] as const) {
        expect(readVerdict(object, reader, "as-child").outcome, JSON.stringify(object)).to.equal("ok");
      }
    }
  });

  it("expects wrong bytes of nobody but the Java V1 clients that pass ciphertext on (H27)", () => {
    const readers = CLIENT_NAMES.filter((reader) =>
      OBJECTS.some((object) => readVerdict(object, reader, "all-switches").outcome === "wrong-bytes"),
    );
    expect(readers).to.deep.equal(["java-v1-eo", "java-v1-ae"]);
  });
});
