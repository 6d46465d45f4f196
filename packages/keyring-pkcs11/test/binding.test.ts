import { execFileSync } from "node:child_process";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { loadCryptoki } from "../dist/binding.js";

const WITHOUT_BINDING = `
  import { register } from "node:module";
  const hooks = 'export const resolve = (name, context, next) => { if (name === "pkcs11js") throw new Error("absent"); return next(name, context); };';
  register("data:text/javascript," + encodeURIComponent(hooks));
  const { Pkcs11Keyring } = await import(process.argv[1]);
  const failure = await Pkcs11Keyring.open({ module: "any.so", slot: 0, keyLabel: "key" }).catch((error) => error);
  console.log(failure.code, failure.message);
`;

describe("loadCryptoki", () => {
  it("says what to install where the binding is missing", () => {
    const index = new URL("../dist/index.js", import.meta.url).href;
    const said = execFileSync(process.execPath, ["--input-type=module", "-e", WITHOUT_BINDING, index]).toString();
    expect(said)
      .to.match(/^invalid-configuration /)
      .and.contain("npm install pkcs11js")
      .and.contain("npm install-scripts approve pkcs11js && npm rebuild pkcs11js")
      .and.contain("pnpm add --allow-build=pkcs11js pkcs11js && pnpm rebuild pkcs11js")
      .and.contain("yarn rebuild pkcs11js");
  });

  it("names a module that cannot be loaded, with or without the binding", async () => {
    const error = await refusal("invalid-configuration", () => loadCryptoki("/nowhere/pkcs11.so"));
    expect(error.message).to.match(/\/nowhere\/pkcs11\.so|npm install pkcs11js/);
  });
});
