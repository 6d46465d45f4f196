import type { Suite } from "./suite.js";

/** Tests that fail in a runtime, and why that says nothing against ours. docs/runtimes.md lists the reasons. */
export interface Exception {
  readonly suites: readonly Suite["name"][];
  readonly why: string;
  /** By file, from the repository's root: what the full titles of those tests contain; `""` where that is all of a file's. */
  readonly tests: Readonly<Record<string, readonly string[]>>;
}

const BUN: Exception["suites"] = ["unit-bun"];
const DENO: Exception["suites"] = ["unit-deno"];
const BOTH: Exception["suites"] = [...BUN, ...DENO];

const KEPT = "what has imported a function of a built-in module keeps it, so that no test can put another in its place";

export const EXCEPTIONS: readonly Exception[] = [
  {
    suites: BOTH,
    why: KEPT,
    tests: {
      "packages/client/dist-test/encrypted-download.test.js": ["where there is no room refuses before anything"],
      "packages/client/dist-test/process-lock.test.js": [
        "hook for",
        "where it cannot remove those of others",
        "the file system has no hard links",
        "its folder changes all the time",
      ],
      "packages/client/dist-test/proven-first.test.js": ["altered: in memory (S12)", "altered: in a spool (S12)"],
      "packages/client/dist-test/spool-file.test.js": ["is never one that is there already", "keeps its name"],
      "packages/client/dist-test/where-files-go.test.js": ["a folder that takes none"],
      "packages/envelope/dist-test/gcm/ghash.test.js": ["of 64 lengths at most"],
      "packages/envelope/dist-test/gcm/self-check.test.js": ["to the ordinary decipher"],
      "packages/envelope/dist-test/key-commitment.test.js": [
        "leaves nothing behind",
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
    why: KEPT,
    tests: {
      "packages/client/dist-test/resumed-download.test.js": ["or finds no room", "by whoever had it, at any moment"],
      "packages/client/dist-test/where-files-go.test.js": ["the state of an upload"],
      "packages/envelope/dist-test/gcm/self-check.test.js": ["the first, or the last"],
    },
  },
  {
    suites: BOTH,
    why: "hooks for the loading of modules are not asked",
    tests: {
      "packages/bulk/dist-test/loading.test.js": ["loads no reader"],
      "packages/client/dist-test/telemetry-secrecy.test.js": ["without OpenTelemetry's API"],
      "packages/client/dist-test/traps.test.js": ["loads neither"],
      "packages/container/dist-test/pkcs11.test.js": ["says what to install"],
      "packages/keyring-pkcs11/dist-test/binding.test.js": ["says what to install"],
    },
  },
  {
    suites: BUN,
    why: "a module that was loaded is not loaded again under the same path and another query",
    tests: { "packages/envelope/dist-test/errors.test.js": ["across two installed copies"] },
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
  {
    suites: DENO,
    why: "it cannot hash in pieces as AES-GCM does: what is made of parts, or resumed, is refused by name, and content is proven by decrypting it in order",
    tests: {
      "packages/client/dist-test/ciphertext-buffers.test.js": ["a get of what is small"],
      "packages/client/dist-test/download-faults.test.js": ["an error, and nothing left", "that never comes whole"],
      "packages/client/dist-test/encrypted-download.test.js": [
        "asks for fewer and larger ranges",
        "writes nothing of a small object before it is proven",
        "writes what arrives in its place",
        "the disk gets full meanwhile",
      ],
      "packages/client/dist-test/large-objects-page.test.js": ["has examples that work"],
      "packages/client/dist-test/lib-storage.test.js": ["Upload of @aws-sdk/lib-storage"],
      "packages/client/dist-test/managers.test.js": ["serves no other object once one of its objects died"],
      "packages/client/dist-test/multipart-commands.test.js": ["the commands of a multipart upload"],
      "packages/client/dist-test/nothing-in-clear.test.js": ["by the multipart commands"],
      "packages/client/dist-test/open-uploads.test.js": ["an upload that is under way", "the uploads of a client"],
      "packages/client/dist-test/sent-parts.test.js": ["keep no connection idle", "of single commands"],
      "packages/client/dist-test/unconfirmed.test.js": ["after which the upload can be completed"],
      "packages/client/dist-test/upload-of-file.test.js": ["in fewer and larger parts"],
      "packages/client/dist-test/telemetry.test.js": ["of uploads, downloads", "whose parts are commands"],
      "packages/client/dist-test/where-files-go.test.js": [
        "that of a download that can be resumed",
        "no folder, of a download that can be resumed",
        "below a file",
        "of a name that is too long",
        "the state of an upload, and the secret",
      ],
      "packages/envelope/dist-test/content-parts.test.js": ["content in parts"],
      "packages/envelope/dist-test/content-proof.test.js": ["a proof of content"],
      "packages/envelope/dist-test/gcm/gcm-reading.test.js": ["reading AES-GCM by hash"],
      "packages/envelope/dist-test/gcm/gcm-writing.test.js": ["writing AES-GCM in parts"],
      "packages/envelope/dist-test/gcm/self-check.test.js": ["holds here"],
      "packages/envelope/dist-test/unproven-content.test.js": ["content that is decrypted in any order"],
      "packages/format-s3/dist-test/in-parts.test.js": ["an object that is sealed in parts"],
      "packages/format-s3/dist-test/s3-format.test.js": [
        "seals content in parts",
        "refuses what is too large",
        "proves the whole",
      ],
    },
  },
  {
    suites: DENO,
    why: "there is no AES of 192 bits for GCM and CBC: such keys and objects are refused by name",
    tests: {
      "packages/envelope/dist-test/content-cbc.test.js": ["under a data key of 24 bytes"],
      "packages/envelope/dist-test/content-gcm.test.js": ["under a data key of 24 bytes"],
      "packages/envelope/dist-test/content-cipher.test.js": ["data keys of 16, 24 and 32 bytes"],
      "packages/envelope/dist-test/runtime-ciphers.test.js": ["are all there in Node"],
      "packages/container/dist-test/key-source.test.js": ["HEX base64"],
      "packages/format-aws-message/dist-test/aws-message-format.test.js": ["ALG_AES_192_GCM"],
      "packages/format-aws-message/dist-test/interop.test.js": ["ALG_AES_192_GCM"],
      "packages/keyring-aws-crypto/dist-test/agreement.test.js": ["raw AES with 24 bytes"],
      "packages/keyring-raw-aes/dist-test/message-wrap.test.js": [
        "under a wrapping key of 24 bytes",
        "with former keys",
      ],
      "packages/keyring-raw-aes/dist-test/raw-aes-keyring.test.js": ["under a key of 24 bytes"],
      "test-vectors/dist-test/readme.test.js": ["shows an example that runs"],
    },
  },
  {
    suites: DENO,
    why: "a request is sent again without a word where the connection that was kept for it closes before the answer, also by an abort",
    tests: {
      "packages/client/dist-test/copy-protocols.test.js": ["it cannot be told whether they were made"],
      "packages/client/dist-test/large-copies.test.js": [
        "and unknown when it may still come",
        "what a copy that broke off has left",
      ],
      "packages/client/dist-test/put-protocols.test.js": ["when it is aborted while it writes files"],
      "packages/client/dist-test/restate.test.js": ["is unknown when what stands is not ours"],
      "packages/dev-server/dist-test/faults.test.js": ["strike KMS too"],
      "packages/dev-server/dist-test/s3-annotations.test.js": ["can be held and struck by faults"],
    },
  },
  {
    suites: DENO,
    why: "an answer that comes before its request was sent may be lost with the connection",
    tests: { "packages/client/dist-test/sent-parts.test.js": ["that S3 redirects to", "wait as long as S3 wants"] },
  },
  {
    suites: DENO,
    why: "memory that is transferred to a closed port stays, and is collected later",
    tests: { "packages/client/dist-test/placed-plaintext.test.js": ["is let go of once it is written"] },
  },
  {
    suites: DENO,
    why: "its own flags are others than Node's, and no module is taken from a command line",
    tests: {
      "packages/container/dist-test/readme.test.js": ["the root README"],
      "packages/dev-server/dist-test/readme.test.js": ["has examples that do what they say"],
      "packages/key-source/dist-test/sources.test.js": ["to a pipe that the shell made", "is what a command prints"],
      "packages/keyring-conformance/dist-test/readme.test.js": ["passes under mocha", "passes under node:test"],
    },
  },
  {
    suites: DENO,
    why: "its library opens no private key that is encrypted with 3DES, and says so",
    tests: { "packages/key-source/dist-test/key-files.test.js": ["pkcs8-3des.pem"] },
  },
  {
    suites: DENO,
    why: "a child process that was sent a signal is said to have ended by it, whatever it ended with",
    tests: { "packages/dev-server/dist-test/bin.test.js": ["and ends at"] },
  },
];
