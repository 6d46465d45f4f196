import { EXIT_CODES, Verdict } from "./exit-codes.js";
import type { Interrupts } from "./interruption.js";
import type { ManyOptions } from "./many-options.js";

/** Does something to many objects, and says where it goes on when it ends early. Throws the verdict where not all was done. */
export async function manyDone(
  interrupts: Interrupts,
  { resume, dryRun }: ManyOptions,
  work: () => Promise<number>,
): Promise<void> {
  const code = await interrupts.transfer(
    async () => {
      try {
        return await work();
      } catch (error) {
        if (resume !== undefined && dryRun !== true && interrupts.signal.aborted) {
          interrupts.left = `What was done is in ${resume}: the same command goes on behind it.`;
        }
        throw error;
      }
    },
    async () => (dryRun === true ? "clean" : "some"),
  );
  if (code !== EXIT_CODES.ok) throw new Verdict(code);
}

/** Lets go of what was opened, however the work ends. */
export async function endingWith(dispose: () => Promise<void>, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } finally {
    await dispose();
  }
}
