import { Argument, type Command } from "commander";
import { TOPICS } from "../help/topics.js";
import { print } from "../printing.js";
import { SHELLS, type Shell } from "./completion-scripts.js";

/** `s3ec completion`, what its scripts ask, and `s3ec man`. */
export function shellCommands(root: Command): void {
  root
    .command("completion")
    .description("Print what a shell reads to complete the words of s3ec: source <(s3ec completion bash)")
    .addArgument(new Argument("<SHELL>", "which shell").choices(SHELLS))
    .action(async (shell: Shell) => {
      const { completionScript } = await import("./completion-scripts.js");
      process.stdout.write(completionScript(shell));
    });
  root
    .command("complete", { hidden: true })
    .argument("[WORDS...]")
    .action(async (words: readonly string[]) => {
      const { completeWords } = await import("./complete-words.js");
      const { words: candidates, address, given } = completeWords(root, words, Object.keys(TOPICS));
      const addresses = address === undefined ? [] : await addressesOf(address, given);
      for (const candidate of [...candidates, ...addresses]) await print(candidate);
    });
  root
    .command("man")
    .description("Print the manual page of s3ec: s3ec man | man -l -")
    .action(async () => {
      const { manPage } = await import("./man-page.js");
      process.stdout.write(manPage(root));
    });
}

async function addressesOf(address: string, given: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const { connectWithoutKeys } = await import("../connection.js");
  const { completeAddress } = await import("./complete-address.js");
  const { devServerAddress } = await import("../dev-server-address.js");
  const { config, use, region, profile, "dev-server": devServer, "endpoint-url": endpointUrl } = given;
  const named = {
    ...(config === undefined ? {} : { config }),
    ...(use === undefined ? {} : { use }),
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    ...(endpointUrl === undefined ? {} : { endpointUrl }),
    ...(devServer === undefined ? {} : { devServer: devServerAddress(devServer) }),
  };
  try {
    const { client, dispose } = await connectWithoutKeys(named, undefined);
    try {
      return await completeAddress(client, address);
    } finally {
      await dispose();
    }
  } catch {
    // A configuration that is wrong is told of by the command, not by the key that completes it.
    return [];
  }
}
