import { createPrivateKey, type KeyObject } from "node:crypto";
import { isError } from "@s3ec/materials";
import { KeyProblem } from "./key-problem.js";
import { optionalPackage } from "./optional-package.js";
import { openSshHeader } from "./work-factor.js";

/** Those that carry a tag of their own, which the library knows nothing of. */
const AUTHENTICATED = /^[\w-]{1,40}(?:gcm|poly1305)@openssh\.com$/;
const CONVERT = "make PEM of a copy with ssh-keygen -p -m PEM -f COPY";

export function isOpenSsh(bytes: Buffer): boolean {
  return bytes.includes("-----BEGIN OPENSSH PRIVATE KEY-----");
}

/** A private key as `ssh-keygen` writes it; the old ones are PEM, which needs none of this. */
export async function openSshPrivateKey(bytes: Buffer, passphrase: Buffer | undefined): Promise<KeyObject> {
  const { default: sshpk } = await optionalPackage(
    "sshpk",
    () => import("sshpk"),
    `; or ${CONVERT}, since it is in OpenSSH's own format`,
  );
  const { cipher } = openSshHeader(bytes);
  if (AUTHENTICATED.test(cipher)) {
    throw new KeyProblem(`is in OpenSSH's own format under ${cipher}, which is not read here: ${CONVERT}`);
  }
  try {
    const key = sshpk.parsePrivateKey(bytes, "ssh-private", {
      filename: "",
      ...(passphrase === undefined ? {} : { passphrase: passphrase.toString("utf8") }),
    });
    if (key.type !== "rsa") throw new KeyProblem("is an OpenSSH key of another kind: this takes an RSA key");
    return privateKeyOf((name) => integerOf(key.parts.find((part) => part.name === name)?.data));
  } catch (error) {
    throw error instanceof KeyProblem ? error : new KeyProblem(refusal(error, passphrase !== undefined));
  }
}

/** Of an RSA key's numbers. The library's own PEM has zeros for two of them, which not every runtime takes, nor any quickly. */
function privateKeyOf(number: (name: string) => bigint): KeyObject {
  const [d, p, q] = [number("d"), number("p"), number("q")];
  const dp = d % (p - 1n);
  const dq = d % (q - 1n);
  const numbers = { n: number("n"), e: number("e"), d, p, q, dp, dq, qi: number("iqmp") };
  const fields = Object.entries(numbers).map(([name, value]) => {
    const hex = value.toString(16);
    return [name, Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex").toString("base64url")];
  });
  return createPrivateKey({ key: { kty: "RSA", ...Object.fromEntries(fields) }, format: "jwk" });
}

function integerOf(bytes: Uint8Array | undefined): bigint {
  return BigInt(`0x${Buffer.from(bytes ?? []).toString("hex")}`);
}

function refusal(error: unknown, hasPassphrase: boolean): string {
  const { name, message } = isError(error) ? error : { name: "", message: "" };
  if (name === "KeyEncryptedError" && !hasPassphrase) return "is encrypted, and its passphrase is missing beside it";
  if (message.includes("Incorrect passphrase")) return "is encrypted, and the passphrase beside it does not open it";
  return `is in OpenSSH's own format, and damaged or of a kind that is not known here: ${CONVERT}`;
}
