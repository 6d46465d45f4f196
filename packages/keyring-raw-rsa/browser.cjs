"use strict";
throw new Error(
  "@s3ec does not run in browsers: their WebCrypto has no streams, and what a page can do with a key, its reader can, too. Encrypt and decrypt on a server. See https://github.com/s3ec/s3ec/blob/main/docs/runtimes.md#browsers",
);
