import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildOnce } from "../build/build-cache.js";
import { runCommand } from "../build/run-command.js";
import { requireTools } from "../build/toolchain.js";
import type { Judged } from "../peers/verdict.js";

const CFN_LINT = "1.40.2";
const TEMPLATE = fileURLToPath(new URL("../../../batch/template.yaml", import.meta.url));

/** What AWS's linter of CloudFormation says of the template of `@s3ec/batch`. */
export async function checkTemplate(): Promise<Judged & { readonly check: string }> {
  await requireTools("python3");
  const venv = await buildOnce("cfn-lint", [CFN_LINT], async (folder) => {
    await runCommand("python3", ["-m", "venv", folder]);
    await runCommand(join(folder, "bin/pip"), ["install", "--quiet", `cfn-lint==${CFN_LINT}`]);
  });
  const expected = { outcome: "ok", reason: "docs/batch.md" } as const;
  const check = "cfn-lint of packages/batch/template.yaml";
  return await runCommand(join(venv, "bin/cfn-lint"), [TEMPLATE]).then(
    () => ({ check, expected, outcome: "ok", detail: "" }),
    (error: unknown) => ({ check, expected, outcome: "refused", detail: String(error) }),
  );
}
