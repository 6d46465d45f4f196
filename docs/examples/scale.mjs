// What many objects cost and take on AWS: the arithmetic of docs/scale.md.
//   node docs/examples/scale.mjs '{ "objects": 5e9, "quotas": { "lambdaConcurrency": 10000 } }'
import { pathToFileURL } from "node:url";

/** US dollars, as they were commonly stated for us-east-1 at `asOf`, and not looked up since: put yours in. */
export const PRICES = {
  asOf: "2025-06",
  s3Write: 0.005 / 1_000,
  s3Read: 0.0004 / 1_000,
  kms: 0.03 / 10_000,
  lambdaGibSecond: 0.0000133334,
  lambdaCall: 0.2 / 1_000_000,
  batchObject: 1 / 1_000_000,
  transferOutGb: 0.05,
};

/** A second. S3's are for each prefix that it has divided the bucket into; KMS's differ by region. */
export const QUOTAS = { prefixes: 10, s3Writes: 3_500, s3Reads: 5_500, kms: 10_000, lambdaConcurrency: 1_000 };

/**
 * What one object of a few kB takes. Reads are GET and HEAD; writes are PUT, COPY, DELETE and LIST, all at the price of a PUT. A test counts them.
 * `waits`: seconds in which nothing is done but waited, for Last-Modified has whole seconds.
 */
export const OPERATIONS = {
  audit: { reads: 1, writes: 1, kms: 0, waits: 0 },
  "audit, asking KMS": { reads: 1, writes: 1, kms: 1, waits: 0 },
  verify: { reads: 2, writes: 0, kms: 1, waits: 0 },
  "rewrap, same owner": { reads: 9, writes: 1, kms: 2, waits: 2 },
  "rewrap, another owner": { reads: 9, writes: 1, kms: 5, waits: 2 },
  "rewrap of a recipient": { reads: 5, writes: 6, kms: 2, waits: 0 },
  migrate: { reads: 19, writes: 8, kms: 2, waits: 0 },
};

export const DEFAULTS = {
  objects: 1_000_000_000,
  bytes: 1_000_000,
  requestSeconds: 0.02,
  gib: 0.5,
  readRate: 40_000_000,
  linkRate: 1_250_000_000,
  prices: PRICES,
  quotas: QUOTAS,
};

const MOVED = { verify: 1, migrate: 3 };
const DAY = 86_400;

/** Dollars, seconds by what limits them, and which of them is the longest. */
export function estimate(operation, given = {}) {
  const input = {
    ...DEFAULTS,
    ...given,
    prices: { ...PRICES, ...given.prices },
    quotas: { ...QUOTAS, ...given.quotas },
  };
  const { objects, bytes, requestSeconds, gib, readRate, prices, quotas } = input;
  const { reads, writes, kms, waits } = OPERATIONS[operation];
  const seconds = waits + (reads + writes + kms) * requestSeconds + ((MOVED[operation] ?? 0) * bytes) / readRate;
  const dollars = {
    S3: objects * (reads * prices.s3Read + writes * prices.s3Write),
    KMS: objects * kms * prices.kms,
    Lambda: objects * (seconds * gib * prices.lambdaGibSecond + prices.lambdaCall),
    Batch: objects * prices.batchObject,
  };
  const takes = {
    "S3 writes a prefix": (objects * writes) / (quotas.s3Writes * quotas.prefixes),
    "S3 reads a prefix": (objects * reads) / (quotas.s3Reads * quotas.prefixes),
    KMS: (objects * kms) / quotas.kms,
    "Lambda concurrency": (objects * seconds) / quotas.lambdaConcurrency,
  };
  return { dollars, total: sum(dollars), takes, seconds, ...longest(takes) };
}

/** The same objects fetched to a machine outside of AWS, and put again: GET, Decrypt, GenerateDataKey, PUT. */
export function byDownload(given = {}) {
  const { objects, bytes, linkRate, prices: own, quotas: limits } = { ...DEFAULTS, ...given };
  const [prices, quotas] = [
    { ...PRICES, ...own },
    { ...QUOTAS, ...limits },
  ];
  const dollars = {
    S3: objects * (prices.s3Read + prices.s3Write),
    KMS: objects * 2 * prices.kms,
    transfer: ((objects * bytes) / 1e9) * prices.transferOutGb,
  };
  const takes = {
    "S3 writes a prefix": objects / (quotas.s3Writes * quotas.prefixes),
    KMS: (objects * 2) / quotas.kms,
    "the line, down and up": (2 * objects * bytes) / linkRate,
  };
  return { dollars, total: sum(dollars), takes, ...longest(takes) };
}

function sum(dollars) {
  return Object.values(dollars).reduce((one, two) => one + two, 0);
}

function longest(takes) {
  const [[binds, time]] = Object.entries(takes).sort(([, a], [, b]) => b - a);
  return { binds, time };
}

const money = (dollars) => `$${Math.round(dollars).toLocaleString("en-US")}`;
const days = (seconds) => (seconds < DAY ? `${(seconds / 3600).toFixed(1)} h` : `${(seconds / DAY).toFixed(1)} days`);

/** The table of the page. */
export function table(given = {}) {
  const rows = [
    ["", "S3", "KMS", "Lambda", "Batch", "all", "takes", "what binds"],
    ...Object.keys(OPERATIONS).map((operation) => {
      const { dollars, total, time, binds } = estimate(operation, given);
      return [`${operation}`, ...Object.values(dollars).map(money), money(total), days(time), binds];
    }),
  ];
  const { dollars, total, time, binds } = byDownload(given);
  rows.push([
    "by download and upload",
    money(dollars.S3),
    money(dollars.KMS),
    "–",
    `${money(dollars.transfer)} transfer`,
    money(total),
    days(time),
    binds,
  ]);
  const widths = rows[0].map((_, column) => Math.max(3, ...rows.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  return [
    line(rows[0]),
    `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`,
    ...rows.slice(1).map(line),
  ].join("\n");
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(table(JSON.parse(process.argv[2] ?? "{}")));
}
