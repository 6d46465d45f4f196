import type { Command } from "commander";
import type { Interrupts } from "../interruption.js";
import type { ObjectAddress } from "../object-address.js";
import type { ListOptions } from "./list-places.js";
import { requestOptions } from "./object-options.js";
import { s3Place } from "./place.js";
import { ending } from "./transfer-command.js";

/** `s3ec ls`. */
export function lsCommand(command: Command, interrupts: Interrupts): void {
  requestOptions(command)
    .argument("[s3://bucket/prefix]", "what to list (default: the buckets)", s3Place)
    .option("--recursive", "everything that begins so, and not only up to the next slash")
    .option("--human-readable", "sizes as 1.5 MiB")
    .option("--summarize", "how many they are, and how large together")
    .option("--exact", "ask each object for its size (HEAD): the listing's is right of what this client wrote")
    .option("--long", "say what each is encrypted with, which asks each object, too")
    .action(async (address: ObjectAddress | undefined, options: ListOptions) => {
      const { connectWithoutKeys } = await import("../connection.js");
      const { listBuckets, listPlace } = await import("./list-places.js");
      const { client, dispose } = await connectWithoutKeys(options, address?.Bucket);
      try {
        const { signal } = interrupts;
        await ending(
          address === undefined ? listBuckets(client, options) : listPlace(client, address, options, signal),
        );
      } finally {
        await dispose();
      }
    });
}
