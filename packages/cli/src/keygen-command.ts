import { createHash, createPublicKey, generateKeyPair, type KeyObject, randomBytes } from "node:crypto";
import { unlink } from "node:fs/promises";
import { parse } from "node:path";
import { promisify } from "node:util";
import { S3EncryptionError } from "@s3ec/materials";
import type { Answer } from "./json/json-output.js";
import { writeNew } from "./new-file.js";

type Description = Readonly<Record<string, string>>;

export interface KeygenOptions {
  readonly json?: boolean;
  /** Stored with what the key wraps. Default: `key`, with the file's name. */
  readonly description?: Description;
}

export interface RsaKeygenOptions extends KeygenOptions {
  /** Of the modulus. Default 3072. */
  readonly bits?: number;
  /** Another file, which gets the public half. */
  readonly public?: string;
  /** The environment variable whose text encrypts the file. */
  readonly passphraseEnv?: string;
}

/** Makes an AES key of 256 bits; what it returns to print holds nothing of it. */
export async function keygenAes(file: string, options: KeygenOptions): Promise<Answer> {
  const key = randomBytes(32);
  try {
    await writeNew(file, key, 0o600);
  } finally {
    key.fill(0);
  }
  const readAndWrite = configuration({ type: "raw-aes", wrappingKey: { file } }, file, options);
  return {
    words: [
      `Made the AES key ${file}, of 256 bits, which only you can read. Whoever has it reads and writes; nobody can make it again.`,
      ...shown("to read and write", readAndWrite),
    ].join("\n"),
    json: { kind: "aes", file, bits: 256, configurations: { readAndWrite } },
  };
}

/** Makes an RSA key pair; what it returns to print is the public half, and how both are named in configurations. */
export async function keygenRsa(file: string, options: RsaKeygenOptions): Promise<Answer> {
  const { bits = 3072, passphraseEnv, public: publicFile } = options;
  const passphrase = passphraseEnv === undefined ? undefined : passphraseIn(passphraseEnv);
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: bits });
  const publicKey = createPublicKey(privateKey);
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
  const written = pemOf(privateKey, passphrase);
  await writeNew(file, written, 0o600);
  if (publicFile !== undefined) await writePublicHalf(publicFile, pem, file);
  const source = { file, ...(passphraseEnv === undefined ? {} : { passphrase: { env: passphraseEnv } }) };
  const half = publicFile ?? `${parse(file).name}.pub.pem`;
  const write = configuration({ type: "raw-rsa", publicKey: { file: half } }, file, options);
  const readAndWrite = configuration({ type: "raw-rsa", privateKey: source }, file, options);
  const lines = [
    `Made the RSA key ${file}, of ${bits} bits, which only you can read${passphrase === undefined ? "" : ", and only with its passphrase"}.`,
    "",
    `Its public half${publicFile === undefined ? "" : `, also in ${publicFile}`} (${fingerprint(publicKey)}), which only writes:`,
    pem.trimEnd(),
    ...(publicFile === undefined
      ? [`Save it as ${half} for whoever only writes; no secret is in it. (--public FILE saves it by itself.)`]
      : []),
    ...shown("to only write", write),
    ...shown("to read and write", readAndWrite),
  ];
  return {
    words: lines.join("\n"),
    json: {
      kind: "rsa",
      file,
      bits,
      publicFile: publicFile ?? null,
      publicKey: pem,
      fingerprint: fingerprint(publicKey),
      configurations: { write, readAndWrite },
    },
  };
}

function pemOf(privateKey: KeyObject, passphrase: string | undefined): string {
  const encryption = passphrase === undefined ? {} : { cipher: "aes-256-cbc", passphrase };
  return privateKey.export({ type: "pkcs8", format: "pem", ...encryption }).toString();
}

function passphraseIn(name: string): string {
  const passphrase = process.env[name];
  if (passphrase !== undefined && passphrase !== "") return passphrase;
  throw new S3EncryptionError("invalid-argument", `The environment variable ${name} holds no passphrase.`);
}

/** A private key whose public half could not be kept has written nothing yet: both are there, or none. */
async function writePublicHalf(publicFile: string, pem: string, file: string): Promise<void> {
  try {
    await writeNew(publicFile, pem, 0o644);
  } catch (error) {
    await unlink(file);
    throw error;
  }
}

function configuration(fields: object, file: string, { description }: KeygenOptions): object {
  return { keyring: { ...fields, materialDescription: description ?? descriptionOf(file) } };
}

function shown(use: string, written: object): string[] {
  return ["", `In a configuration, ${use}:`, JSON.stringify(written, null, 2)];
}

/** What is stored with a key's wraps, so that its former ones are found once there is a new one; of both halves the same. */
export function descriptionOf(file: string): Description {
  return { key: parse(file).name.replace(/\.pub$/, "") };
}

/** As `config check` names the key. */
function fingerprint(publicKey: KeyObject): string {
  const spki = publicKey.export({ type: "spki", format: "der" });
  return `SHA256:${createHash("sha256").update(spki).digest("hex").slice(0, 16)}`;
}
