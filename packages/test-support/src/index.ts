export { bytes, collect, plaintextOf } from "./bytes.js";
export { BY_PROVIDER, encryptedDataKey, forReading, forWriting } from "./keyring-materials.js";
export { hasNoCipherFor } from "./missing-ciphers.js";
export { printedBy } from "./other-process.js";
export { environmentFor, importExample, readmeExample, runExample } from "./readme-example.js";
export { refusal, refused } from "./refusals.js";
export { replacingCrypto } from "./replaced-crypto.js";
export { opens, roundTrip } from "./round-trip.js";
export { wrapRfc3394 } from "./wrap-rfc3394.js";
