import { generateKeyPairSync } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const repository: string = fileURLToPath(new URL("../../../", import.meta.url));

/** The JavaScript example of a page that has this word, as it stands there. */
export function example(page: string, word: string): string {
  const text = readFileSync(join(repository, page), "utf8");
  const block = text.split("```js\n").find((part) => part.includes(word));
  return block?.split("\n```")[0] ?? "";
}

export const escrowPair = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

/** A folder inside the package, so that imports from it find the workspace's packages. */
export function temporaryFolder(): {
  folder: string;
  write: (name: string, content: string | Uint8Array) => string;
  remove: () => void;
} {
  const parent = fileURLToPath(new URL("../dist-test/", import.meta.url));
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "tmp-"));
  return {
    folder,
    write: (name, content) => {
      const path = join(folder, name);
      mkdirSync(join(path, ".."), { recursive: true });
      writeFileSync(path, content, { mode: 0o600 });
      return path;
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** The example of the documentation with an escrow key pair beside it. */
export function escrowExample(): ReturnType<typeof temporaryFolder> & { path: string } {
  const temporary = temporaryFolder();
  const path = join(temporary.folder, "escrow.config.json");
  copyFileSync(join(repository, "docs/examples/escrow.config.json"), path);
  temporary.write("escrow.pub.pem", escrowPair.publicKey);
  temporary.write("escrow.pem", escrowPair.privateKey);
  return { ...temporary, path };
}
