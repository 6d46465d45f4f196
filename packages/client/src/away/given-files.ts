import { MAX_INSTRUCTION_FILE_LENGTH } from "@s3ec/envelope";
import type { AnnotationReader } from "@s3ec/materials";
import type { Beside } from "../read/open-stored.js";
import { invalid } from "./away-options.js";

/** An instruction file of an object: its text, or its text and what follows the object's key in its own. */
export type GivenInstructionFile = string | NamedInstructionFile;

/** An instruction file whose name is known. */
export interface NamedInstructionFile {
  /** What follows the object's key in its own, such as `.instruction`. */
  readonly suffix: string;
  /** Its text. */
  readonly text: string;
}

/** What was given with an object of what lay beside it. */
export interface GivenBeside {
  /** The instruction file that has its wrapped key, which is then taken instead of one in the metadata. Default: none. */
  readonly instructionFile?: GivenInstructionFile | undefined;
  /** Texts of annotations of the object by their full names, such as `x-s3ec/partner`. Default: none. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

const NOTHING_CARRIED: ReadonlyMap<string, string> = new Map();

/** What lies beside an object that is not in S3: no more than was given. */
export class GivenFiles implements Beside {
  readonly #text: string | undefined;
  readonly #annotations: ReadonlyMap<string, string>;
  /** Of a file that was given without one: whichever is asked for first, as a reader asks for its own first. */
  #suffix: string | undefined;
  #wasRead = false;

  /** @throws S3EncryptionError `invalid-argument` */
  constructor({ instructionFile, annotations = {} }: GivenBeside) {
    const { text, suffix } =
      typeof instructionFile === "object" && instructionFile !== null
        ? instructionFile
        : { text: instructionFile, suffix: undefined };
    if (text !== undefined && typeof text !== "string") {
      throw invalid("instructionFile must be the file's text, or { suffix, text }.");
    }
    if (typeof instructionFile === "object" && (typeof suffix !== "string" || suffix === "")) {
      throw invalid('The suffix of an instructionFile must be a text such as ".instruction".');
    }
    if (typeof annotations !== "object" || annotations === null) {
      throw invalid("annotations must be an object of texts by their names.");
    }
    this.#text = text;
    this.#suffix = suffix;
    this.#annotations = new Map(Object.entries(annotations));
    for (const each of this.#annotations.values()) {
      if (typeof each !== "string") throw invalid("annotations must be an object of texts by their names.");
    }
  }

  get hasFile(): boolean {
    return this.#text !== undefined;
  }

  /** What follows the object's key in the file's; undefined where that was not said. */
  get suffix(): string | undefined {
    return this.#suffix;
  }

  async read(suffix: string): Promise<string | undefined> {
    if (this.#text === undefined) return undefined;
    this.#suffix ??= suffix;
    if (suffix !== this.#suffix) return undefined;
    this.#wasRead = true;
    // As much of it as a reader of S3 takes (S14).
    return this.#text.slice(0, MAX_INSTRUCTION_FILE_LENGTH + 1);
  }

  get annotations(): AnnotationReader {
    return {
      list: async (prefix) =>
        [...this.#annotations]
          .filter(([name]) => name.startsWith(prefix))
          .map(([name, text]) => ({ name, size: Buffer.byteLength(text) })),
      read: async (name) => this.#annotations.get(name)?.slice(0, MAX_INSTRUCTION_FILE_LENGTH + 1),
    };
  }

  async carried(): Promise<ReadonlyMap<string, string>> {
    return NOTHING_CARRIED;
  }

  async versionsNear(): Promise<undefined> {
    return undefined;
  }

  async elsewhere(): Promise<string> {
    if (this.#wasRead) return "";
    return this.hasFile
      ? `The instruction file that was given${this.#suffix === undefined ? "" : `, that of ${JSON.stringify(this.#suffix)},`} is not what was looked for.`
      : "No instruction file was given with it: if its wrapped key is in one, pass its text as instructionFile.";
  }
}
