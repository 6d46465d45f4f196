import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import ts from "typescript";

/** A monorepo of small packages in a directory of its own, built as `tsc` would: their declarations beside their sources. */
export class Fixture implements Disposable {
  readonly root: string = mkdtempSync(join(tmpdir(), "s3ec-api-report-"));

  /** `files` are the texts of `src`, by name. */
  addPackage(id: string, files: Record<string, string>, manifest: object = {}): this {
    const directory = join(this.root, "packages", id);
    write(join(directory, "package.json"), JSON.stringify({ name: `@s3ec/${id}`, type: "module", ...manifest }));
    for (const [name, text] of Object.entries(files)) {
      write(join(directory, "src", `${name}.ts`), text);
      const { outputText } = ts.transpileDeclaration(text, {
        fileName: `${name}.ts`,
        compilerOptions: { isolatedDeclarations: true },
      });
      write(join(directory, "dist", `${name}.d.ts`), outputText);
    }
    return this;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
