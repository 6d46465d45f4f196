import { expect } from "chai";
import { reasonOf } from "../dist/reason.js";

/** As each says that `@aws-sdk/client-kms` is not there. */
const SAID: readonly { readonly by: string; readonly code: string; readonly message: string }[] = [
  {
    by: "an import of Node's",
    code: "ERR_MODULE_NOT_FOUND",
    message: "Cannot find package '@aws-sdk/client-kms' imported from /app/node_modules/@s3ec/container/dist/x.js",
  },
  {
    by: "an import of Deno's",
    code: "ERR_MODULE_NOT_FOUND",
    message: 'Import "@aws-sdk/client-kms" not a dependency',
  },
  {
    by: "require",
    code: "MODULE_NOT_FOUND",
    message: "Cannot find module '@aws-sdk/client-kms'\nRequire stack:\n- /app",
  },
  {
    by: "Yarn's Plug'n'Play, of a peer",
    code: "MODULE_NOT_FOUND",
    message:
      "@s3ec/container tried to access @aws-sdk/client-kms (a peer dependency) but it isn't provided by your application; this makes the require call ambiguous and unsound.",
  },
  {
    by: "Yarn's Plug'n'Play, of what is not declared",
    code: "MODULE_NOT_FOUND",
    message: "Your application tried to access @aws-sdk/client-kms, but it isn't declared in your dependencies",
  },
];

describe("the reason of a part that cannot be set up", () => {
  for (const { by, code, message } of SAID) {
    it(`is the missing package, as said by ${by}`, () => {
      const reason = reasonOf(Object.assign(new Error(message), { code }));
      expect(reason).to.equal("this needs the package @aws-sdk/client-kms: npm install @aws-sdk/client-kms");
    });
  }

  it("is no package where a file is missing, or the error is another one", () => {
    for (const [code, message] of [
      ["MODULE_NOT_FOUND", "Cannot find module '/app/missing.js'"],
      ["MODULE_NOT_FOUND", "Cannot find module './missing.js'"],
      ["ERR_OTHER", "Cannot find package '@aws-sdk/client-kms' imported from /app"],
    ] as const) {
      const reason = reasonOf(Object.assign(new Error(message), { code }));
      expect(reason).to.equal("this cannot be set up as it is described here");
    }
  });
});
