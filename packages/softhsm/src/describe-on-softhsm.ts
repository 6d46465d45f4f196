import { missingForSoftHsm, SoftHsm } from "./softhsm.js";

const missing = missingForSoftHsm();
const isPromised = (process.env.CI ?? "") !== "";
if (missing !== undefined && !isPromised) console.log(`  Tests on a token are skipped. ${missing}`);

/** A suite of mocha's on a real token: skipped where there cannot be one, but not where a CI promises it. */
export function describeOnSoftHsm(title: string, body: (hsm: () => SoftHsm) => void): void {
  const declare = missing === undefined || isPromised ? describe : describe.skip;
  declare(title, () => {
    let hsm: SoftHsm | undefined;
    before(() => {
      if (missing !== undefined) throw new Error(missing);
      hsm = new SoftHsm();
    });
    after(() => hsm?.remove());
    body(() => {
      if (hsm === undefined) throw new Error("There is a token while a test runs, and not before.");
      return hsm;
    });
  });
}
