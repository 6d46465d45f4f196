import { execFileSync } from "node:child_process";
import { GiB } from "./setting.js";

/** CPU seconds that OpenSSL alone takes to encrypt a GiB with AES-256-GCM; undefined where it is not installed. */
export function opensslSecondsPerGiB(): number | undefined {
  const options = ["speed", "-seconds", "1", "-bytes", "65536", "-evp", "aes-256-gcm"];
  try {
    const output = execFileSync("openssl", options, { stdio: ["ignore", "pipe", "ignore"] }).toString();
    const [, thousands] = /AES-256-GCM\s+([\d.]+)k/i.exec(output) ?? [];
    return thousands === undefined ? undefined : GiB / (Number(thousands) * 1000);
  } catch {
    return undefined;
  }
}
