import { chmod, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const PACKAGE = new URL("../", import.meta.url);
const pathOf = (name) => fileURLToPath(new URL(name, PACKAGE));
const { version } = JSON.parse(await readFile(new URL("package.json", PACKAGE), "utf8"));

/** Makes `s3ec` one file that needs Node.js and no other: `make-bundle.mjs [OUT]`. Native modules stay outside. */
const outfile = process.argv[2] ?? pathOf("dist-bundle/s3ec.mjs");
await build({
  entryPoints: [pathOf("dist/bin.js")],
  outfile,
  bundle: true,
  platform: "node",
  target: "node20.19",
  format: "esm",
  minifySyntax: true,
  minifyWhitespace: true,
  // The SDK and we tell some classes by their names.
  keepNames: true,
  legalComments: "eof",
  external: ["pkcs11js", "@napi-rs/keyring"],
  banner: {
    js: 'import { createRequire as requireOfBundle } from "node:module"; const require = requireOfBundle(import.meta.url);',
  },
  plugins: [
    {
      name: "package-version",
      setup: ({ onLoad }) => {
        onLoad({ filter: /[\\/]cli[\\/]dist[\\/]package-version\.js$/ }, () => ({
          contents: `export const packageVersion = () => ${JSON.stringify(version)};`,
        }));
      },
    },
  ],
  logLevel: "warning",
});
await chmod(outfile, 0o755);
