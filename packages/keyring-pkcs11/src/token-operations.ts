import { CK, type Handle, type Mechanism, type TokenSession } from "./cryptoki.js";
import { cannotBegin, isRefusedCiphertext } from "./token-errors.js";

const GCM_TAG_LENGTH = 16;

const GCM = "AES-GCM (CKM_AES_GCM)";
const OAEP = "RSA-OAEP with SHA-1 (CKM_RSA_PKCS_OAEP)";
const OAEP_SHA1: Mechanism = {
  mechanism: CK.CKM_RSA_PKCS_OAEP,
  parameter: {
    type: CK.PARAMS_RSA_OAEP,
    hashAlg: CK.CKM_SHA_1,
    mgf: CK.CKG_MGF1_SHA1,
    source: CK.CKZ_DATA_SPECIFIED,
  },
};

/** `ciphertext ‖ tag(16)`, made in the token. */
export async function aesGcmEncrypt(
  session: TokenSession,
  key: Handle,
  iv: Uint8Array,
  aad: Uint8Array,
  data: Uint8Array,
): Promise<Uint8Array> {
  const { cryptoki, handle } = session;
  begin(GCM, () => cryptoki.C_EncryptInit(handle, gcm(iv, aad), key));
  const input = Buffer.from(data);
  try {
    return await cryptoki.C_EncryptAsync(handle, input, Buffer.alloc(data.length + GCM_TAG_LENGTH));
  } finally {
    input.fill(0);
  }
}

/** The plaintext of `ciphertext ‖ tag(16)`, or undefined where the token does not accept it. The caller zeroes it. */
export async function aesGcmDecrypt(
  session: TokenSession,
  key: Handle,
  iv: Uint8Array,
  aad: Uint8Array,
  data: Uint8Array,
): Promise<Uint8Array | undefined> {
  begin(GCM, () => session.cryptoki.C_DecryptInit(session.handle, gcm(iv, aad), key));
  return await finishDecryption(session, data);
}

/** What RSA-OAEP, SHA-1 for both digests, encrypted, or undefined where the token does not accept it. The caller zeroes it. */
export async function rsaOaepDecrypt(
  session: TokenSession,
  key: Handle,
  data: Uint8Array,
): Promise<Uint8Array | undefined> {
  begin(OAEP, () => session.cryptoki.C_DecryptInit(session.handle, OAEP_SHA1, key));
  return await finishDecryption(session, data);
}

function gcm(iv: Uint8Array, aad: Uint8Array): Mechanism {
  const parameter = {
    type: CK.PARAMS_GCM,
    iv: Buffer.from(iv),
    ivBits: iv.length * 8,
    aad: Buffer.from(aad),
    tagBits: GCM_TAG_LENGTH * 8,
  };
  return { mechanism: CK.CKM_AES_GCM, parameter };
}

function begin(operation: string, init: () => void): void {
  try {
    init();
  } catch (error) {
    throw cannotBegin(error, operation);
  }
}

async function finishDecryption({ cryptoki, handle }: TokenSession, data: Uint8Array): Promise<Uint8Array | undefined> {
  const input = Buffer.from(data);
  const output = Buffer.alloc(data.length);
  try {
    return await cryptoki.C_DecryptAsync(handle, input, output);
  } catch (error) {
    output.fill(0);
    if (isRefusedCiphertext(error)) return undefined;
    throw error;
  } finally {
    // Held until here: the binding's thread reads it.
    input.fill(0);
  }
}
