import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import ts from "typescript";

const INSTALLED = fileURLToPath(new URL("../../../node_modules/", import.meta.url));
const CONSUMER = `
  import { EncryptedDownload, EncryptedUpload, encryptS3, S3EncryptionClient, withPlaintextSizes } from "@s3ec/client";
  export const used = [EncryptedDownload, EncryptedUpload, encryptS3, S3EncryptionClient, withPlaintextSizes];
`;

describe("declarations", () => {
  let folder: string;
  before(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "s3ec-test-")));
    const modules = join(folder, "node_modules");
    for (const scope of ["@aws-sdk", "@s3ec", "@types"]) await mkdir(join(modules, scope), { recursive: true });
    // Copied, since a link would find the packages that are installed for our tests.
    for (const name of ["client", "envelope", "format-s3", "materials"]) {
      for (const part of ["package.json", "dist"]) {
        const from = join(INSTALLED, "@s3ec", name, part);
        await cp(await realpath(from), join(modules, "@s3ec", name, part), { recursive: true });
      }
    }
    for (const name of ["@aws-sdk/client-s3", "@types/node"]) {
      await symlink(join(INSTALLED, name), join(modules, name), "junction");
    }
    await writeFile(join(folder, "consumer.mts"), CONSUMER);
  });
  after(() => rm(folder, { recursive: true }));

  it("are whole with nothing but the SDK installed, also without skipLibCheck", () => {
    const program = ts.createProgram([join(folder, "consumer.mts")], {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      strict: true,
      skipLibCheck: false,
      noEmit: true,
      types: ["node"],
      typeRoots: [join(folder, "node_modules/@types")],
    });
    // The SDK's own declarations are not ours to check.
    const ours = program.getSourceFiles().filter(({ fileName }) => !relative(folder, fileName).startsWith(".."));
    expect(ours.map(({ fileName }) => relative(folder, fileName))).to.include.members([
      "consumer.mts",
      "node_modules/@s3ec/client/dist/transfer/upload-progress.d.ts",
    ]);
    const wrong = ours.flatMap((file) => program.getSemanticDiagnostics(file));
    const said = wrong.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
    expect([...said, ...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()]).to.deep.equal([]);
  });
});
