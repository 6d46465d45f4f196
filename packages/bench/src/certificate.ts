import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Files in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Makes a certificate of its own for 127.0.0.1, good for a day, in this folder; undefined where there is no openssl. */
export function makeCertificate(folder: string): Certificate | undefined {
  const cert = join(folder, "cert.pem");
  const key = join(folder, "key.pem");
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
  const name = ["-subj", "/CN=s3ec-bench", "-addext", "subjectAltName=IP:127.0.0.1"];
  try {
    execFileSync("openssl", ["req", ...kind, ...name, "-keyout", key, "-out", cert], { stdio: "ignore" });
    return { cert, key };
  } catch {
    return undefined;
  }
}
