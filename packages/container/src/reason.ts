import { isError, S3EncryptionError } from "@s3ec/materials";

/** What an error says about one part of a configuration. Our own errors are sentences that hold no key; of others nobody knows that. */
export function reasonOf(error: unknown): string {
  if (error instanceof S3EncryptionError) return error.message;
  const name = missingPackage(error);
  return name === undefined
    ? "this cannot be set up as it is described here"
    : `this needs the package ${name}: npm install ${name}`;
}

/** How runtimes and resolvers say that a package is not there: Node's imports, `require`, Yarn's Plug'n'Play. */
const MISSING: readonly RegExp[] = [
  /^Cannot find package '((?:@[\w.~-]+\/)?[\w.~-]+)[/']/,
  /^Cannot find module '((?:@[\w~-][\w.~-]*\/)?[\w~-][\w.~-]*)[/']/,
  // Deno's imports.
  /^Import "((?:@[\w~-][\w.~-]*\/)?[\w~-][\w.~-]*)[/"]/,
  /tried to access ((?:@[\w.~-]+\/)?[\w.~-]+)[, ]/,
];

/** A peer that was not installed; a file that is not found is a fault of somebody's package, and no name to install. */
function missingPackage(error: unknown): string | undefined {
  if (!isError(error) || (error.code !== "ERR_MODULE_NOT_FOUND" && error.code !== "MODULE_NOT_FOUND")) return undefined;
  return MISSING.map((text) => text.exec(error.message)?.[1]).find((name) => name !== undefined);
}
