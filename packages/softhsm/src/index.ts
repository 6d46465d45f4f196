export { describeOnSoftHsm } from "./describe-on-softhsm.js";
export { missingForSoftHsm, newRsaKey, SoftHsm } from "./softhsm.js";
