import { DOTNET_V1_SUFFIX, type Envelope } from "@s3ec/envelope";

/** What a newcomer wants to know about a stored envelope; every entry is a sentence. */
export interface EnvelopeExplanation {
  /** Which programs write objects of this shape. Nothing stored proves who did. */
  readonly writers: string;
  readonly weaknesses: readonly string[];
  /** Options that a reader has to set, beside its key. */
  readonly switches: readonly string[];
  readonly movingOn: string | null;
}

/** In words; `instructionFile` is the key of the instruction file, where there is one. */
export function explainEnvelope(envelope: Envelope, instructionFile: string | null): EnvelopeExplanation {
  const { suite, encryptedDataKey } = envelope;
  const { wrapAlgorithm } = encryptedDataKey;
  const switches = [
    ...(suite.committing ? [] : ["commitmentPolicy: REQUIRE_ENCRYPT_ALLOW_DECRYPT"]),
    ...(suite.cipher === "cbc" ? ["enableLegacyUnauthenticatedModes: true"] : []),
    ...(wrapAlgorithm.legacy ? ["enableLegacyWrappingAlgorithms: true"] : []),
  ];
  const weaknesses = weaknessesOf(envelope);
  return {
    writers: writersOf(envelope, instructionFile),
    weaknesses,
    switches,
    movingOn:
      weaknesses.length === 0
        ? null
        : "Get it with these options and put it again under the default policy; then take the options away.",
  };
}

function weaknessesOf({ suite, encryptedDataKey: { wrapAlgorithm } }: Envelope): string[] {
  return [
    ...(suite.committing
      ? []
      : ["No key commitment: a writer who knows several keys can make one object that opens differently under each."]),
    ...(suite.cipher === "cbc" ? ["AES-CBC content is not authenticated: changes to it can go unnoticed."] : []),
    ...(wrapAlgorithm.legacy
      ? [
          "The wrapped key is not bound to the content's cipher: the object can be relabelled to a weaker one (CVE-2020-8912).",
        ]
      : []),
    ...(wrapAlgorithm.name === "AES" ? ["The data key is wrapped with AES-ECB, which authenticates nothing."] : []),
    ...(wrapAlgorithm.name === "RSA"
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
function writersOf(envelope: Envelope, instructionFile: string | null): string {
  const { format, suite, encryptedDataKey } = envelope;
  const { wrapAlgorithm, description } = encryptedDataKey;
  const { name } = wrapAlgorithm;
  if (wrapAlgorithm.keyKind === "other")
    return "A client with a keyring of someone's own, such as a plugin of this one.";
  if (format === "V3") return `A client of the current generation (${CURRENT[name]}), or this one.`;
  if (instructionFile?.endsWith(DOTNET_V1_SUFFIX) === true)
    return "The first .NET client (V1), with an instruction file.";
  if (format === "V1") {
    return `The oldest generation: Java SDK v1 in its EncryptionOnly mode, .NET V1 or Ruby V1${name === "AES" ? ", or a data loader such as Redshift or Snowflake" : ""}.`;
  }
  if (name === "kms" && Object.keys(description).some((entry) => entry.startsWith("aws:ses-"))) {
    return "Amazon SES: mail stored by a receipt rule that encrypts it.";
  }
  if (suite.cipher === "cbc") return cbcWriters(name);
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
