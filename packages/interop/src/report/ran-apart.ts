import { table } from "./report-table.js";

/** Clients that this package does not build: they ran both ways against the dev-server, and what they stored is in `test-vectors`. */
const RAN_APART: readonly (readonly [client: string, releases: string, ran: string, oursReads: string])[] = [
  ["Ruby, `EncryptionV3::Client`", "aws-sdk-s3 1.233.1", "1,293 puts, 40,887 gets", "all, and is read by it"],
  [
    ".NET, V1, V2 and V4 clients",
    "1.0.0, 2.3.0, 3.1.0, 3.2.1, 4.0.2",
    "1,256 puts, 28,893 gets",
    "all but what 4.0.2 writes with AesGcm, a file and multipart, which nobody can; KMS wraps in files are refused by .NET",
  ],
  [
    "PHP, V1, V2 and V3 clients",
    "3.93.2, 3.112.34, 3.231.15, 3.383.2, 3.403.1",
    "2,157 puts, 139,857 gets",
    "all but objects with an `Aad` of the caller's (H20); V3 compares the context in order (H12)",
  ],
  [
    "C++, V1, V2 and V3 clients",
    "1.6.37, 1.8.34, V3's sources on the core of 1.8.34",
    "about 148,000 gets",
    "all; does not read empty GCM objects, or files under other suffixes than `.instruction`",
  ],
];

/** The section of docs/interop.md on them. */
export function ranApart(): string {
  return [
    "## The other languages",
    "Run apart from the command above, in November 2026, both ways, over http against `@s3ec/dev-server`; real S3 and KMS were not asked. What each client was seen to do, right and wrong, is in docs/formats.md 6.1, and the objects are in `test-vectors`.",
    table(["client", "releases", "ran", "ours reads what it wrote"], RAN_APART),
  ].join("\n\n");
}
