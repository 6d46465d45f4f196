import { EXIT_CODES_HELP } from "../exit-codes.js";

/** A page of `s3ec help`. */
export interface Topic {
  /** What it is about, in a line. */
  readonly about: string;
  readonly body: string;
}

const CONFIGURATION = `
A configuration says who wraps the keys of objects. It is s3ec.config.json, .yaml
or .yml in this folder, or what --config names:

  {
    "keyring": { "type": "kms", "keyId": "alias/app" },
    "s3": { "region": "eu-west-1" }
  }

  s3ec init                writes one, with its keys made or found
  s3ec config check        says what one means, and what is wrong with it
  s3ec config check --live asks KMS, S3 and tokens, too
  s3ec config policy       prints the IAM policies that it takes
  s3ec config schema       prints the JSON Schema of configurations, for editors

Fields: keyring, materialsManager, client, s3, kms, plugins. A file may hold several
configurations by name (--use NAME). \${NAME} in any text is an environment variable.`;

const KEYS = `
Keyring types: kms, kms-discovery, raw-rsa, raw-aes, pkcs11 (an HSM or smart card),
multi (a generator and children, each of which opens the object alone), by plugins
others.

  s3ec keygen aes app.key                       an AES key of 256 bits
  s3ec keygen rsa escrow.pem --public pub.pem   an RSA key pair
  s3ec keygen kms alias/app                     a key of KMS
  s3ec keygen pkcs11 app --module LIB           one that never leaves its token

A key is { "file": path }, { "env": name }, { "base64": text }, { "stdin": true },
{ "keychain": service }, { "secretsManager": name }, { "parameterStore": name }, or
{ "command": [program, argument] }, which takes --allow-commands. RSA keys are PEM,
DER, JWK, OpenSSH keys or entries of a PKCS#12 or Java keystore.

An escrow key opens everything when the others are lost: s3ec init --escrow pub.pem.`;

const FORMATS = `
Written: format V3 of the Amazon S3 encryption clients, which commits to its key, or
where the configuration's first format is "aws-message", a message of the AWS
Encryption SDK, which holds as many wrapped keys as there are readers.

Read: the same, and by switches of the configuration's "client"
  V2 (AES-GCM)     "commitmentPolicy": "REQUIRE_ENCRYPT_ALLOW_DECRYPT"
  old key wraps    "enableLegacyWrappingAlgorithms": true
  V1 (AES-CBC)     "enableLegacyUnauthenticatedModes": true; nothing can tell
                   whether such content was altered
  messages         "formats": [{ "type": "s3" }, { "type": "aws-message" }]

  s3ec inspect s3://bucket/key   says what an object is, and which switches it takes
  s3ec audit s3://bucket/ --recursive
  s3ec migrate s3://bucket/key   writes one anew, in the current format`;

const ENVIRONMENT = `
Region and credentials are the AWS SDK's own:
  AWS_REGION, AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
  AWS_SESSION_TOKEN, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_KMS, AWS_CONFIG_FILE,
  AWS_SHARED_CREDENTIALS_FILE; or the profile, or the role of the instance.
  NODE_EXTRA_CA_CERTS   certificates that are trusted beside the system's
  TMPDIR                where the ciphertext of large objects waits for its proof,
                        unless the configuration's client.spool.directory says it
  XDG_CONFIG_HOME       the folder of s3ec/resume-secret (put --resume)

The fields "s3" and "kms" of a configuration go before them.`;

const AWAY = `
Ciphertext travels: backups, a machine without a network, another store.

  aws s3api get-object --bucket B --key K object.enc
  aws s3api head-object --bucket B --key K > head.json
  s3ec decrypt object.enc --head head.json -o object

Where the wrapped key is in a file beside the object, --instruction FILE names it.
The other way, s3ec encrypt writes ciphertext and metadata, and prints the commands
that upload them:

  s3ec encrypt object -o object.enc --object s3://bucket/key

s3ec presign prints a URL of the ciphertext, for somebody who has a key:

  s3ec presign s3://bucket/key --expires-in 600
  curl -D head -o object.enc URL
  s3ec decrypt object.enc --head head -o object`;

const FROM_AWS_S3 = `
cp, mv, sync, ls and rm are as in aws s3, with its options and output:

  aws s3 cp FILE s3://bucket/key       s3ec cp FILE s3://bucket/key
  aws s3 sync DIR s3://bucket/prefix   s3ec sync DIR s3://bucket/prefix
  aws s3 ls s3://bucket/               s3ec ls s3://bucket/
  aws s3 cp s3://bucket/key -          s3ec cat s3://bucket/key
  aws s3 presign s3://bucket/key       s3ec presign s3://bucket/key
  aws s3api head-object                s3ec inspect s3://bucket/key

--region, --profile, --endpoint-url, --ca-bundle and --no-verify-ssl are as there.
What they have not: put and get go on where they broke off (--resume).

What aws downloads is ciphertext (s3ec help away), and what it uploads is in the
clear. A copy of aws s3 that keeps the metadata stays readable, with the instruction
files beside the object, which have to be copied, too; s3ec cp copies both.`;

const JSON_OUTPUT = `
--json has a command print JSON in place of what it says to people: an object a line
where it may be about many, and last what they come to; else one document.

  s3ec verify s3://bucket/ --recursive --json
  s3ec inspect s3://bucket/key --json
  s3ec schema verify      prints the JSON Schema of what that prints
  s3ec schema             prints that of each command

Fields stay as they are; more may come. A command that fails as a whole prints, as its
last line, {"error":{"code":...,"problem":...,"exitCode":...}}, and the sentence on
standard error as ever. Where standard output has the content of an object (get, cp
and encrypt to -, decrypt, cat), the JSON is on standard error, too.`;

/** By what `s3ec help` calls them. */
export const TOPICS: Readonly<Record<string, Topic>> = {
  configuration: { about: "the file that says who wraps keys", body: CONFIGURATION.trim() },
  keys: { about: "kinds of keys, and where they can be", body: KEYS.trim() },
  formats: { about: "what is written and read, and the switches for old objects", body: FORMATS.trim() },
  away: { about: "objects that are not in S3: decrypt, encrypt, presign", body: AWAY.trim() },
  "from-aws-s3": { about: "what aws s3 calls it", body: FROM_AWS_S3.replace(/^\n/, "") },
  json: { about: "what programs read", body: JSON_OUTPUT.trim() },
  environment: { about: "variables that are read", body: ENVIRONMENT.trim() },
  "exit-codes": { about: "how a script tells what went wrong", body: EXIT_CODES_HELP.trim() },
};
