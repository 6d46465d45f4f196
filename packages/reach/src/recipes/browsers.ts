import type { Recipe } from "../recipe.js";

/** Where it says so in each of our packages' `browser.cjs`. */
const REFUSAL = "@s3ec does not run in browsers";

/** What is not served is refused by a sentence, where it is imported. */
export const BROWSERS: readonly Recipe[] = [
  {
    name: "chromium",
    runtime: "Chromium",
    manager: "npm",
    modules: "ES modules",
    loadedBy: "esbuild {esbuild}",
    packages: { esbuild: "0" },
    files: {
      "page.mjs": `import { S3EncryptionClient } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";

document.title = String(S3EncryptionClient) + String(RawAesKeyring);
`,
      "page.html": `<!doctype html>
<script>addEventListener("error", ({ message }) => document.body.append(message));</script>
<body><script src="bundle.js"></script></body>
`,
    },
    steps: [
      ["esbuild", "page.mjs", "--bundle", "--outfile=bundle.js"],
      [
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--allow-file-access-from-files",
        "--user-data-dir=profile",
        "--dump-dom",
        "page.html",
      ],
    ],
    refusal: REFUSAL,
  },
];
