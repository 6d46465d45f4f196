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
  let pem: string;
  try {
    const key = sshpk.parsePrivateKey(bytes, "ssh-private", {
      filename: "",
      ...(passphrase === undefined ? {} : { passphrase: passphrase.toString("utf8") }),
    });
    if (key.type !== "rsa") throw new KeyProblem("is an OpenSSH key of another kind: this takes an RSA key");
    pem = key.toString("pkcs8");
  } catch (error) {
    throw error instanceof KeyProblem ? error : new KeyProblem(refusal(error, passphrase !== undefined));
  }
  return createPrivateKey(pem);
}

function refusal(error: unknown, hasPassphrase: boolean): string {
  const { name, message } = isError(error) ? error : { name: "", message: "" };
  if (name === "KeyEncryptedError" && !hasPassphrase) return "is encrypted, and its passphrase is missing beside it";
  if (message.includes("Incorrect passphrase")) return "is encrypted, and the passphrase beside it does not open it";
  return `is in OpenSSH's own format, and damaged or of a kind that is not known here: ${CONVERT}`;
}
