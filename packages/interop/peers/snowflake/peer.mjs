// Has Snowflake's driver encrypt and upload: `node peer.mjs KEY LENGTH...`, each length with a plaintext of that seed.
// Prints what S3 was sent, a line of JSON an object; S3 itself is the client below, which keeps it.
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
const agent = join(dirname(require.resolve("snowflake-sdk/package.json")), "dist/lib/file_transfer_agent");
const { EncryptUtil } = require(join(agent, "encrypt_util.js"));
const { S3Util } = require(join(agent, "s3_util.js"));

const [queryStageMasterKey, ...lengths] = process.argv.slice(2);
const sent = [];
class S3 {
  async putObject({ Body, Metadata }) {
    const pieces = [];
    for await (const piece of Body) pieces.push(piece);
    sent.push({ body: Buffer.concat(pieces), metadata: Metadata });
  }

  destroy() {}
}
const util = new S3Util({ getProxy: () => undefined }, { S3 });
const folder = mkdtempSync(join(tmpdir(), "s3ec-snowflake-"));
try {
  for (const length of lengths.map(Number)) {
    const file = join(folder, "data");
    const plaintext = plaintextOf(length, length);
    writeFileSync(file, plaintext);
    const material = { queryStageMasterKey, queryId: "01b2c3d4-0000-1111-0000-00000000abcd", smkId: 92019681909886 };
    const { encryptionMetadata, dataFile } = await new EncryptUtil().encryptFile(material, file, folder);
    const stageInfo = {
      location: "stage/files/",
      region: "us-west-2",
      creds: { AWS_KEY_ID: "x", AWS_SECRET_KEY: "y" },
    };
    const meta = {
      stageInfo,
      client: null,
      dstFileName: "data",
      uploadSize: readFileSync(dataFile).length,
      SHA256_DIGEST: createHash("sha256").update(plaintext).digest("base64"),
    };
    await util.uploadFile(dataFile, meta, encryptionMetadata);
    const [{ body, metadata } = {}] = sent.splice(0);
    console.log(JSON.stringify({ length, body: body?.toString("base64"), metadata, status: meta.resultStatus }));
  }
} finally {
  rmSync(folder, { recursive: true });
}

function plaintextOf(seed, length) {
  const blocks = [];
  for (let index = 0; index * 32 < length; index++) {
    const input = Buffer.alloc(8);
    input.writeUInt32BE(seed, 0);
    input.writeUInt32BE(index, 4);
    blocks.push(createHash("sha256").update(input).digest());
  }
  return Buffer.concat(blocks).subarray(0, length);
}
