import type { ObjectAddress } from "../object-address.js";
import { pathWord, shellWord } from "./shell-words.js";

/** What was written to be uploaded. */
export interface SealedFiles {
  /** The ciphertext; `-` where it went to standard output. */
  readonly output: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly instructionFiles: readonly {
    readonly suffix: string;
    readonly file: string;
    readonly metadata: Readonly<Record<string, string>>;
  }[];
  readonly annotations: readonly { readonly name: string; readonly file: string }[];
  /** Whether nobody can read the object without its files. */
  readonly needsInstructionFiles: boolean;
}

/** Command lines of the AWS CLI that upload an object, in the order in which they must be run. */
export function uploadCommands(sealed: SealedFiles, address: ObjectAddress | undefined): string[] {
  const { Bucket, Key } = address ?? { Bucket: "BUCKET", Key: "KEY" };
  const put = (key: string, file: string, metadata: Readonly<Record<string, string>>): string =>
    [
      "aws s3api put-object",
      at(Bucket, key),
      `--body ${pathWord(file)}`,
      ...(Object.keys(metadata).length === 0 ? [] : [`--metadata ${shellWord(JSON.stringify(metadata))}`]),
    ].join(" ");
  const object = put(Key, sealed.output === "-" ? "FILE" : sealed.output, sealed.metadata);
  const files = sealed.instructionFiles.map(({ suffix, file, metadata }) => put(`${Key}${suffix}`, file, metadata));
  const annotations = sealed.annotations.map(
    ({ name, file }) =>
      `aws s3api put-object-annotation ${at(Bucket, Key)} --annotation-name ${shellWord(name)} --annotation-payload ${pathWord(file)}`,
  );
  return [...(sealed.needsInstructionFiles ? [...files, object] : [object, ...files]), ...annotations];
}

function at(bucket: string, key: string): string {
  return `--bucket ${shellWord(bucket)} --key ${key.startsWith("-") ? `=${shellWord(key)}` : shellWord(key)}`.replace(
    "--key =",
    "--key=",
  );
}
