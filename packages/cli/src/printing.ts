import { printable } from "@s3ec/envelope";

/** Whoever reads what is printed may stop, as `head` does: no reason to fail. That it cannot be kept is one. */
export function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(`${shown(text)}\n`, (error) => {
      const isLost = error instanceof Error && !("code" in error && error.code === "EPIPE");
      if (isLost) reject(error);
      else resolve();
    });
  });
}

/** Whether anybody still reads what is printed. */
export function isRead(): boolean {
  return !process.stdout.destroyed && process.stdout.writable;
}

/** On standard error, where standard output has the object. */
export async function tell(text: string): Promise<void> {
  process.stderr.write(`${shown(text)}\n`);
}

export function warn(sentence: string): void {
  void tell(`s3ec: ${sentence}`);
}

/** Only our own line breaks do something; whatever else could is of an object, a store or a name. */
function shown(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
