import { nearestName } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import type { Command } from "commander";
import { print } from "../printing.js";
import { TOPICS } from "./topics.js";

/** `s3ec help`, of commands and of topics. */
export function helpCommand(root: Command): void {
  root
    .helpCommand(false)
    .addHelpText("after", `\nTopics (s3ec help TOPIC): ${Object.keys(TOPICS).join(", ")}`)
    .command("help")
    .description("Tell more of a command, or of a topic.")
    .argument("[COMMAND or TOPIC...]", `a command, or one of ${Object.keys(TOPICS).join(", ")}`)
    .action(async (words: readonly string[]) => {
      const [first = ""] = words;
      const topic = words.length === 1 && Object.hasOwn(TOPICS, first) ? TOPICS[first] : undefined;
      if (topic !== undefined) return await print(topic.body);
      commandNamed(root, words).outputHelp();
    });
}

function commandNamed(root: Command, words: readonly string[]): Command {
  let command = root;
  for (const word of words) {
    const next = command.commands.find((each) => each.name() === word);
    if (next === undefined)
      throw unknown(word, [...command.commands.map((each) => each.name()), ...Object.keys(TOPICS)]);
    command = next;
  }
  return command;
}

function unknown(word: string, names: readonly string[]): S3EncryptionError {
  const nearest = nearestName(word, names);
  return new S3EncryptionError(
    "invalid-argument",
    `There is neither a command nor a topic ${JSON.stringify(word)}${nearest === undefined ? "" : `; did you mean ${nearest}?`} See s3ec help.`,
  );
}
