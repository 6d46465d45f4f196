import { createRequire } from "node:module";

/*
 * Puts an AES key into a token: `node create-aes-key.js MODULE TOKEN_LABEL PIN LABEL ID KEY`, the last two in hex. A
 * process of its own, since a module is initialized once for a whole process. `softhsm2-util --import --aes` of SoftHSM
 * 2.6.1 keeps 8 bytes of a key only.
 */

interface Binding {
  readonly PKCS11: new (
    path: string,
  ) => {
    C_Initialize(): void;
    C_Finalize(): void;
    C_GetSlotList(tokenPresent: boolean): Buffer[];
    C_GetTokenInfo(slot: Buffer): { readonly label: string };
    C_OpenSession(slot: Buffer, flags: number): Buffer;
    C_Login(session: Buffer, userType: number, pin: string): void;
    C_CreateObject(session: Buffer, template: { type: number; value: unknown }[]): Buffer;
  };
  readonly [constant: `CK${string}`]: number;
}

const [module = "", tokenLabel, pin = "", label, id = "", key = ""] = process.argv.slice(2);
const ck: Binding = createRequire(import.meta.url)("pkcs11js");
const cryptoki = new ck.PKCS11(module);
cryptoki.C_Initialize();
try {
  const slot = cryptoki.C_GetSlotList(true).find((each) => cryptoki.C_GetTokenInfo(each).label.trim() === tokenLabel);
  if (slot === undefined) throw new Error(`There is no token ${tokenLabel}.`);
  const constant = (name: `CK${string}`): number => ck[name] ?? Number.NaN;
  const session = cryptoki.C_OpenSession(slot, constant("CKF_SERIAL_SESSION") | constant("CKF_RW_SESSION"));
  cryptoki.C_Login(session, constant("CKU_USER"), pin);
  cryptoki.C_CreateObject(session, [
    { type: constant("CKA_CLASS"), value: constant("CKO_SECRET_KEY") },
    { type: constant("CKA_KEY_TYPE"), value: constant("CKK_AES") },
    { type: constant("CKA_LABEL"), value: label },
    { type: constant("CKA_ID"), value: Buffer.from(id, "hex") },
    { type: constant("CKA_TOKEN"), value: true },
    { type: constant("CKA_PRIVATE"), value: true },
    { type: constant("CKA_SENSITIVE"), value: true },
    { type: constant("CKA_EXTRACTABLE"), value: false },
    { type: constant("CKA_ENCRYPT"), value: true },
    { type: constant("CKA_DECRYPT"), value: true },
    { type: constant("CKA_VALUE"), value: Buffer.from(key, "hex") },
  ]);
} finally {
  cryptoki.C_Finalize();
}
