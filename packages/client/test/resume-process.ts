import { EncryptedUpload, S3EncryptionClient } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";

/** An upload that is going to be killed. */
const [settings = "{}"] = process.argv.slice(2);
const { config, params, file, resume } = JSON.parse(settings);
const keyring = new RawAesKeyring({ wrappingKey: Buffer.alloc(32, 9) });
const client = new S3EncryptionClient({ ...config, encryption: { keyring } });
const secret = Buffer.from(resume.secret, "base64");
await new EncryptedUpload({ client, params, file, queueSize: 2, resume: { ...resume, secret } }).done();
