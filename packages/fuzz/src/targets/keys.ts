import { createPrivateKey, createPublicKey } from "node:crypto";
import { Readable } from "node:stream";
import { inspect } from "node:util";
import { type ContentSource, type GivenSource, type KeySource, loadKey, type SourceOptions } from "@s3ec/key-source";
import { loadKeyFiles, readKeyFile } from "@s3ec/test-vectors";
import { mutateBytes } from "../mutate.js";
import { assertRight, refusalOf, type Target } from "../target.js";

const files = loadKeyFiles().map((file) => ({ ...file, bytes: readKeyFile(file) }));
const known = createPrivateKey(readKeyFile({ file: "key-files/pkcs8.pem" }));

/** Numbers of the private key, as an error could show them: no shorter run of it is a secret. */
const secrets = Object.values(known.export({ format: "jwk" })).flatMap((number) => {
  if (typeof number !== "string" || number.length < 100) return [];
  const bytes = Buffer.from(number, "base64url");
  const isPublic = bytes.equals(Buffer.from(createPublicKey(known).export({ format: "jwk" }).n ?? "", "base64url"));
  const middle = bytes.subarray(30, 54);
  return isPublic ? [] : [middle.toString("base64"), middle.toString("hex"), middle.toString("latin1")];
});

/** Key files of every format, damaged: a key, or a typed refusal that shows nothing of one. */
export const keys: Target = {
  name: "keys",
  async try(random) {
    const file = random.pick(files);
    const bytes = random.oneIn(6) ? file.bytes : mutateBytes(random, file.bytes, random.pick(files).bytes);
    const { place, options } = placed(bytes, random.pick(["bytes", "bytes", "env", "base64", "stdin"] as const));
    const encoding = random.oneIn(10) ? { encoding: random.pick(["bytes", "hex", "base64"] as const) } : {};
    const source: KeySource = { ...place, ...encoding, ...passphrases(file, random.oneIn(8)) };
    const type = random.pick(["rsa-private", "rsa-private", "rsa-public", "aes"] as const);
    try {
      await loadKey(source, { type, onWarning: () => {}, ...options });
      return "loaded";
    } catch (error) {
      const shown = inspect(error, { depth: 9, showHidden: true });
      assertRight(!secrets.some((secret) => shown.includes(secret)), `${file.file}: the error shows the key`);
      return refusalOf(error);
    }
  },
};

/** The same content where a source may have it: as it is, or as the text of a place that holds text only. */
function placed(
  bytes: Buffer,
  place: "bytes" | "env" | "base64" | "stdin",
): { readonly place: GivenSource | ContentSource; readonly options: SourceOptions } {
  switch (place) {
    case "bytes":
      return { place: { bytes }, options: {} };
    case "base64":
      return { place: { base64: bytes.toString("base64") }, options: {} };
    case "stdin":
      return { place: { stdin: true }, options: { stdin: Readable.from([bytes]) } };
    case "env": {
      const text = bytes.includes("-----BEGIN") ? bytes.toString("latin1") : bytes.toString("base64");
      return { place: { env: "KEY" }, options: { env: { KEY: text } } };
    }
  }
}

function passphrases(
  { passphrase, keyPassphrase }: (typeof files)[number],
  without: boolean,
): Pick<KeySource, "passphrase" | "keyPassphrase"> {
  if (without || passphrase === undefined) return {};
  return {
    passphrase: { base64: Buffer.from(passphrase).toString("base64") },
    ...(keyPassphrase === undefined
      ? {}
      : { keyPassphrase: { base64: Buffer.from(keyPassphrase).toString("base64") } }),
  };
}
