import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const folder = fileURLToPath(new URL(".", import.meta.url));
const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));

/**
 * Makes one file of the function and of all that it needs, AWS's clients among it: nothing is installed where it runs.
 *
 * @param {string} outfile
 * @returns bytes of it
 */
export async function makeBundle(outfile = fileURLToPath(new URL("lambda/index.mjs", import.meta.url))) {
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL("dist/lambda.js", import.meta.url))],
    absWorkingDir: folder,
    outfile,
    bundle: true,
    minify: true,
    // Names in errors and in the SDK's user agent stay what they are.
    keepNames: true,
    platform: "node",
    format: "esm",
    target: "node20",
    legalComments: "none",
    metafile: true,
    logLevel: "error",
    // Built from source or for one platform, and of no use in Lambda: a token, and a desktop's keychain.
    external: ["@s3ec/keyring-pkcs11", "@napi-rs/keyring", "@aws-sdk/signature-v4-crt", "@aws-sdk/signature-v4a"],
    // What is CommonJS in it asks for Node's own modules so.
    banner: {
      js: `// @s3ec/batch ${version}, Apache-2.0\nimport { createRequire as s3ecCreateRequire } from "node:module"; const require = s3ecCreateRequire(import.meta.url);`,
    },
  });
  const [output] = Object.values(metafile.outputs);
  return output?.bytes ?? 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(`lambda/index.mjs: ${await makeBundle()} bytes`);
