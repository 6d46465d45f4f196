import { DOTNET_V1_SUFFIX } from "@s3ec/envelope";
import type { EnvelopeInspection } from "@s3ec/format-s3";

/** What a newcomer wants to know about a stored envelope; every entry is a sentence. */
export interface EnvelopeExplanation {
  /** Which programs write objects of this shape. Nothing stored proves who did. */
  readonly writers: string;
  readonly weaknesses: readonly string[];
  /** Options that a reader has to set, beside its key. */
  readonly switches: readonly string[];
  readonly movingOn: string | null;
}

/** In words. */
export function explainEnvelope(inspection: EnvelopeInspection): EnvelopeExplanation {
  const { committing, authenticated, legacyWrap } = inspection;
  const switches = [
    ...(committing ? [] : ["commitmentPolicy: REQUIRE_ENCRYPT_ALLOW_DECRYPT"]),
    ...(authenticated ? [] : ["enableLegacyUnauthenticatedModes: true"]),
    ...(legacyWrap ? ["enableLegacyWrappingAlgorithms: true"] : []),
  ];
  const weaknesses = weaknessesOf(inspection);
  return {
    writers: writersOf(inspection),
    weaknesses,
    switches,
    movingOn:
      weaknesses.length === 0
        ? null
        : "Write it anew with these options (s3ec migrate, or migrateObject), and then take them away.",
  };
}

function weaknessesOf({ committing, authenticated, legacyWrap, wrapAlgorithm }: EnvelopeInspection): string[] {
  return [
    ...(committing
      ? []
      : ["No key commitment: a writer who knows several keys can make one object that opens differently under each."]),
    ...(authenticated ? [] : ["AES-CBC content is not authenticated: changes to it can go unnoticed."]),
    ...(legacyWrap
      ? [
          "The wrapped key is not bound to the content's cipher: the object can be relabelled to a weaker one (CVE-2020-8912).",
        ]
      : []),
    ...(wrapAlgorithm === "AES" ? ["The data key is wrapped with AES-ECB, which authenticates nothing."] : []),
    ...(wrapAlgorithm === "RSA"
      ? ["The data key is wrapped with RSA PKCS#1 v1.5, which careless readers turn into a decryption oracle."]
      : []),
  ];
}

const CURRENT: Readonly<Record<string, string>> = {
  "AES/GCM": "Java 4, .NET 4, Ruby V3, C++ V3",
  "RSA-OAEP-SHA1": "Java 4, .NET 4, Ruby V3",
  "kms+context": "Java 4, .NET 4, Go 4, PHP V3, Ruby V3, C++ V3, Python",
};
const PREVIOUS: Readonly<Record<string, string>> = {
  "AES/GCM": "Java SDK v1's V2 client, Java 3, .NET V2, Ruby V2, C++ V2",
  "RSA-OAEP-SHA1": "Java SDK v1's V2 client, Java 3, .NET V2, Ruby V2",
  "kms+context": "Java SDK v1's V2 client, Java 3, .NET V2, Go s3crypto V2, Go 3, PHP V2, Ruby V2, C++ V2",
};

// The writers of each shape are those of docs/formats.md 2.
function writersOf(inspection: EnvelopeInspection): string {
  const { format, authenticated, wrapAlgorithm: name, keyKind, description, instructionFileSuffix } = inspection;
  if (keyKind === "other") return "A client with a keyring of someone's own, such as a plugin of this one.";
  if (format === "V3") return `A client of the current generation (${CURRENT[name]}), or this one.`;
  if (instructionFileSuffix === DOTNET_V1_SUFFIX) return "The first .NET client (V1), with an instruction file.";
  if (format === "V1") {
    return `The oldest generation: Java SDK v1 in its EncryptionOnly mode, .NET V1 or Ruby V1${name === "AES" ? ", or a data loader such as Redshift or Snowflake" : ""}.`;
  }
  if (name === "kms" && Object.keys(description).some((entry) => entry.startsWith("aws:ses-"))) {
    return "Amazon SES: mail stored by a receipt rule that encrypts it.";
  }
  if (!authenticated) return cbcWriters(name);
  switch (name) {
    case "kms":
      return "The first generation: Java SDK v1 (AuthenticatedEncryption), Go s3crypto V1, PHP V1 or C++ V1.";
    case "AESWrap":
      return "The first generation: Java SDK v1 (AuthenticatedEncryption) or C++ V1.";
    case "RSA/ECB/OAEPWithSHA-256AndMGF1Padding":
      return "The first generation: Java SDK v1 (AuthenticatedEncryption).";
    case "AES":
    case "RSA":
      return "Java SDK v1 (AuthenticatedEncryption) where its crypto provider lacked the usual wrap.";
    default:
      return `A client of the previous generation (${PREVIOUS[name]}), or a current one set to FORBID_ENCRYPT_ALLOW_DECRYPT.`;
  }
}

function cbcWriters(wrap: string): string {
  switch (wrap) {
    case "kms":
      return "The first generation: Java SDK v1 in its EncryptionOnly mode, .NET V1, Go s3crypto V1, PHP V1, Ruby V1 or C++ V1.";
    case "AESWrap":
      return "C++ V1 in its EncryptionOnly mode.";
    default:
      return "C++ V1 (EncryptionOnly), or Java 4 re-encrypting the instruction file of an older object.";
  }
}
