import { explainConfiguration, type LoadOptions } from "@s3ec/container";
import type { Answer } from "./json/json-output.js";

/** What `s3ec config check` prints: the configuration in words. */
export async function configCheck(file: string, options: Pick<LoadOptions, "allowCommands" | "use">): Promise<Answer> {
  const explanation = await explainConfiguration(file, options);
  const lines = [
    `${file} is valid.`,
    ...explanation.selected,
    ...section("What it writes", explanation.written),
    ...section("Who can read that (each of them alone)", explanation.readers),
    ...section("What writing takes", explanation.writing),
    ...section("What it can read", explanation.reads),
    ...section("What it refuses to read", explanation.refused),
    ...section("Look at", explanation.warnings),
  ];
  return { words: lines.join("\n"), json: { file, ...explanation } };
}

function section(title: string, sentences: readonly string[]): string[] {
  return sentences.length === 0 ? [] : ["", `${title}:`, ...sentences.map((sentence) => `  - ${sentence}`)];
}
