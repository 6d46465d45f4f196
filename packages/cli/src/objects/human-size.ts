const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** Bytes as `aws s3 --human-readable` prints them. */
export function humanSize(bytes: number): string {
  if (bytes === 1) return "1 Byte";
  if (bytes < 1024) return `${bytes} Bytes`;
  let value = bytes;
  for (const unit of UNITS) {
    value /= 1024;
    if (Math.round(value) < 1024) return `${value.toFixed(1)} ${unit}`;
  }
  return `${value.toFixed(1)} EiB`;
}
