import type { Suite } from "./suite.js";

/** Tests that fail in a runtime, and why that says nothing against ours. docs/runtimes.md lists the reasons. */
export interface Exception {
  readonly suites: readonly Suite["name"][];
  readonly why: string;
  /** By file, from the repository's root: what the full titles of those tests contain; `""` where that is all of a file's. */
  readonly tests: Readonly<Record<string, readonly string[]>>;
}

const BUN: Exception["suites"] = ["unit-bun"];

export const EXCEPTIONS: readonly Exception[] = [
  {
    suites: BUN,
    why: "what has imported a function of a built-in module keeps it, so that no test can put another in its place",
    tests: {
      "packages/client/dist-test/encrypted-download.test.js": ["where there is no room refuses before anything"],
      "packages/client/dist-test/process-lock.test.js": ["hook for"],
      "packages/client/dist-test/proven-first.test.js": ["altered: in memory (S12)", "altered: in a spool (S12)"],
      "packages/client/dist-test/spool-file.test.js": ["is never one that is there already", "keeps its name"],
      "packages/envelope/dist-test/key-commitment.test.js": [
        "is compared in constant time",
        "every single flipped bit",
      ],
      "packages/envelope/dist-test/runtime-ciphers.test.js": ["none of 192 bits", "are asked for once"],
      "packages/format-aws-message/dist-test/message-keys.test.js": ["nowhere but in their KeyObject"],
      "packages/keyring-conformance/dist-test/wrong-keyrings.test.js": ["the same data key", "leaves the raw bytes"],
      "packages/keyring-raw-aes/dist-test/raw-aes-keyring.test.js": ["zeroes what it deciphered"],
      "packages/keyring-raw-aes/dist-test/rfc3394.test.js": ["was asked of the runtime once"],
      "packages/keyring-raw-rsa/dist-test/legacy-oaep-sha256.test.js": ["does one private-key operation"],
      "packages/keyring-raw-rsa/dist-test/legacy-pkcs1.test.js": ["tells the same lie"],
      "packages/keyring-raw-rsa/dist-test/message-wrap.test.js": ["zero a key of the wrong length"],
      "packages/keyring-raw-rsa/dist-test/raw-rsa-keyring.test.js": ["zeroes the raw data key"],
    },
  },
  {
    suites: BUN,
    why: "there is no key wrap to make such an object with: what others wrapped is read",
    tests: {
      "packages/client/dist-test/other-writers.test.js": ["AESWrap"],
      "packages/client/dist-test/rewrapped-copy.test.js": ["where the content is CBC"],
      "packages/keyring-raw-aes/dist-test/legacy-wraps.test.js": ["read a data key of", "refuse every other length"],
    },
  },
  {
    suites: BUN,
    why: "a module that was loaded is not loaded again under the same path and another query, and one that is missing is told of otherwise",
    tests: {
      "packages/client/dist-test/telemetry-secrecy.test.js": ["without OpenTelemetry's API"],
      "packages/client/dist-test/traps.test.js": ["loads neither"],
      "packages/container/dist-test/pkcs11.test.js": ["says what to install"],
      "packages/envelope/dist-test/errors.test.js": ["across two installed copies"],
      "packages/keyring-pkcs11/dist-test/binding.test.js": ["says what to install"],
    },
  },
  {
    suites: BUN,
    why: "its library has no scrypt, is able to open RC2, and makes RSA keys of multiples of 128 bits",
    tests: {
      "packages/key-source/dist-test/key-files.test.js": ["pkcs8-scrypt.der"],
      "packages/keyring-raw-rsa/dist-test/key-mistakes.test.js": ["PKCS#8 with RC2"],
      "packages/keyring-raw-rsa/dist-test/raw-rsa-keyring.test.js": ["under 2050 bits"],
      "packages/keyring-raw-rsa/dist-test/rsa-keys.test.js": ["2047 bits"],
    },
  },
  {
    suites: BUN,
    why: "errors of JSON name no place, and that of a port that is taken no code",
    tests: {
      "packages/container/dist-test/configuration-errors.test.js": ["the line of a JSON mistake"],
      "packages/container/dist-test/configuration-files.test.js": ["in JSON"],
      "packages/dev-server/dist-test/bin.test.js": ["its port is taken"],
    },
  },
  {
    suites: BUN,
    why: "it has a test runner of its own in the place of node:test",
    tests: { "packages/keyring-conformance/dist-test/readme.test.js": ["passes under node:test"] },
  },
  {
    suites: BUN,
    why: "what nobody holds is collected later than a test waits",
    tests: { "packages/client/dist-test/faults.test.js": ["lets go of what it has spooled"] },
  },
];
