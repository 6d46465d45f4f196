/** A slot, session or object, as the binding hands it out: the bytes of a CK_ULONG. */
export type Handle = Buffer;

export interface Attribute {
  readonly type: number;
  readonly value?: number | string | Buffer | boolean;
}

interface GcmParameter {
  readonly type: number;
  readonly iv: Buffer;
  readonly ivBits: number;
  readonly aad: Buffer;
  readonly tagBits: number;
}

interface OaepParameter {
  readonly type: number;
  readonly hashAlg: number;
  readonly mgf: number;
  readonly source: number;
}

export interface Mechanism {
  readonly mechanism: number;
  readonly parameter: GcmParameter | OaepParameter;
}

/** How keys are made; these take no parameter. */
interface Generation {
  readonly mechanism: number;
}

/**
 * The functions of PKCS#11 that this package calls, in the shape of pkcs11js. They throw errors whose message begins
 * with the return value's name, such as `CKR_PIN_INCORRECT`. `Async` ones run on a thread: their buffers must be held
 * until they are done.
 */
export interface Cryptoki {
  C_Initialize(options: { readonly flags: number }): void;
  C_Finalize(): void;
  C_GetSlotList(tokenPresent: boolean): Handle[];
  C_GetTokenInfo(slot: Handle): { readonly label: string };
  C_OpenSession(slot: Handle, flags: number): Handle;
  C_CloseSession(session: Handle): void;
  C_Login(session: Handle, userType: number, pin: string): void;
  C_FindObjectsInit(session: Handle, template: Attribute[]): void;
  C_FindObjects(session: Handle, max: number): Handle[];
  C_FindObjectsFinal(session: Handle): void;
  C_GetAttributeValue(session: Handle, object: Handle, template: Attribute[]): { readonly value: Buffer }[];
  C_GenerateKeyAsync(session: Handle, mechanism: Generation, template: Attribute[]): Promise<Handle>;
  C_GenerateKeyPairAsync(
    session: Handle,
    mechanism: Generation,
    publicKey: Attribute[],
    privateKey: Attribute[],
  ): Promise<unknown>;
  C_EncryptInit(session: Handle, mechanism: Mechanism, key: Handle): void;
  C_EncryptAsync(session: Handle, input: Buffer, output: Buffer): Promise<Buffer>;
  C_DecryptInit(session: Handle, mechanism: Mechanism, key: Handle): void;
  C_DecryptAsync(session: Handle, input: Buffer, output: Buffer): Promise<Buffer>;
}

/** A session that nobody else uses at the same time. */
export interface TokenSession {
  readonly cryptoki: Cryptoki;
  readonly handle: Handle;
}

/** Constants of PKCS#11 2.40, and the binding's names for two parameter structures. */
export const CK = {
  CKF_OS_LOCKING_OK: 0x2,
  CKF_RW_SESSION: 0x2,
  CKF_SERIAL_SESSION: 0x4,
  CKU_USER: 1,
  CKO_PUBLIC_KEY: 2,
  CKO_PRIVATE_KEY: 3,
  CKO_SECRET_KEY: 4,
  CKK_RSA: 0x0,
  CKK_AES: 0x1f,
  CKA_CLASS: 0x0,
  CKA_TOKEN: 0x1,
  CKA_PRIVATE: 0x2,
  CKA_LABEL: 0x3,
  CKA_KEY_TYPE: 0x100,
  CKA_ID: 0x102,
  CKA_SENSITIVE: 0x103,
  CKA_ENCRYPT: 0x104,
  CKA_DECRYPT: 0x105,
  CKA_MODULUS: 0x120,
  CKA_MODULUS_BITS: 0x121,
  CKA_PUBLIC_EXPONENT: 0x122,
  CKA_VALUE_LEN: 0x161,
  CKA_EXTRACTABLE: 0x162,
  CKM_RSA_PKCS_KEY_PAIR_GEN: 0x0,
  CKM_RSA_PKCS_OAEP: 0x9,
  CKM_SHA_1: 0x220,
  CKM_AES_KEY_GEN: 0x1080,
  CKM_AES_GCM: 0x1087,
  CKG_MGF1_SHA1: 1,
  CKZ_DATA_SPECIFIED: 1,
  PARAMS_RSA_OAEP: 4,
  PARAMS_GCM: 25,
} as const;
