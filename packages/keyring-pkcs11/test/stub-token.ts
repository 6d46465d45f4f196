import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { CK, type Cryptoki, type Handle, type Mechanism } from "../dist/cryptoki.js";

/** A token with one AES key, in memory, that can be made to fail in ways in which SoftHSM does not. */
export class StubToken implements Cryptoki {
  readonly pin = "1234";
  isPresent = true;
  isInitialized = false;
  isLoggedIn = false;
  /** Sessions that the token allows at a time. */
  sessionLimit = Number.POSITIVE_INFINITY;
  /** PINs that were tried. */
  readonly logins: string[] = [];
  readonly counts: Record<string, number> = {};
  mostSessions = 0;
  readonly #key = randomBytes(32);
  readonly #sessions = new Set<number>();
  readonly #active = new Map<number, { mechanism: Mechanism; isBusy: boolean }>();
  readonly #failures: { call: string; name: string }[] = [];
  /** Grows with each login, which makes earlier key handles invalid. */
  #generation = 0;
  #last = 0;

  /** Makes the next call of a function fail with this return value. */
  failNext(call: keyof Cryptoki, ...names: string[]): void {
    for (const name of names) this.#failures.push({ call, name });
  }

  logOut(): void {
    this.isLoggedIn = false;
    this.#generation++;
  }

  closeAllSessions(): void {
    this.#sessions.clear();
    this.#active.clear();
    this.logOut();
  }

  remove(): void {
    this.closeAllSessions();
    this.isPresent = false;
  }

  get openSessions(): number {
    return this.#sessions.size;
  }

  C_Initialize(): void {
    this.#enter("C_Initialize");
    if (this.isInitialized) fail("CKR_CRYPTOKI_ALREADY_INITIALIZED");
    this.isInitialized = true;
  }

  C_Finalize(): void {
    this.#enter("C_Finalize");
    this.closeAllSessions();
    this.isInitialized = false;
  }

  C_GetSlotList(): Handle[] {
    this.#enter("C_GetSlotList");
    return this.isPresent ? [handle(7)] : [];
  }

  C_GetTokenInfo(): { label: string } {
    return { label: "stub".padEnd(32) };
  }

  C_OpenSession(): Handle {
    this.#enter("C_OpenSession");
    if (!this.isPresent) fail("CKR_TOKEN_NOT_PRESENT");
    if (this.#sessions.size >= this.sessionLimit) fail("CKR_SESSION_COUNT");
    this.#sessions.add(++this.#last);
    this.mostSessions = Math.max(this.mostSessions, this.#sessions.size);
    return handle(this.#last);
  }

  C_CloseSession(session: Handle): void {
    this.#enter("C_CloseSession");
    this.#assertSession(session);
    this.#sessions.delete(numberOf(session));
    if (this.#sessions.size === 0) this.logOut();
  }

  C_Login(session: Handle, _userType: number, pin: string): void {
    this.logins.push(pin);
    this.#enter("C_Login");
    this.#assertSession(session);
    if (this.isLoggedIn) fail("CKR_USER_ALREADY_LOGGED_IN");
    if (pin !== this.pin) fail("CKR_PIN_INCORRECT");
    this.isLoggedIn = true;
  }

  #template: readonly { readonly type: number; readonly value?: unknown }[] = [];

  C_FindObjectsInit(session: Handle, template: { readonly type: number; readonly value?: unknown }[]): void {
    this.#assertSession(session);
    this.#template = template;
  }

  C_FindObjects(): Handle[] {
    const isAes = this.#template.some(({ type, value }) => type === CK.CKA_CLASS && value === CK.CKO_SECRET_KEY);
    return isAes && this.isLoggedIn ? [handle(this.#generation)] : [];
  }

  C_FindObjectsFinal(): void {}

  C_GetAttributeValue(): never {
    return fail("CKR_ATTRIBUTE_TYPE_INVALID");
  }

  /** This token makes no keys. */
  C_GenerateKeyAsync(): Promise<Handle> {
    return fail("CKR_MECHANISM_INVALID");
  }

  C_GenerateKeyPairAsync(): Promise<unknown> {
    return fail("CKR_MECHANISM_INVALID");
  }

  C_EncryptInit(session: Handle, mechanism: Mechanism, key: Handle): void {
    this.#begin("C_EncryptInit", session, mechanism, key);
  }

  C_DecryptInit(session: Handle, mechanism: Mechanism, key: Handle): void {
    this.#begin("C_DecryptInit", session, mechanism, key);
  }

  async C_EncryptAsync(session: Handle, input: Buffer): Promise<Buffer> {
    const { iv, aad } = await this.#run("C_EncryptAsync", session);
    const cipher = createCipheriv("aes-256-gcm", this.#key, iv);
    cipher.setAAD(aad);
    return Buffer.concat([cipher.update(input), cipher.final(), cipher.getAuthTag()]);
  }

  async C_DecryptAsync(session: Handle, input: Buffer): Promise<Buffer> {
    const { iv, aad } = await this.#run("C_DecryptAsync", session);
    const decipher = createDecipheriv("aes-256-gcm", this.#key, iv);
    decipher.setAAD(aad);
    decipher.setAuthTag(input.subarray(-16));
    const plaintext = decipher.update(input.subarray(0, -16));
    try {
      decipher.final();
    } catch {
      fail("CKR_ENCRYPTED_DATA_INVALID");
    }
    return plaintext;
  }

  #begin(call: keyof Cryptoki, session: Handle, mechanism: Mechanism, key: Handle): void {
    this.#enter(call);
    this.#assertSession(session);
    if (!this.isLoggedIn) fail("CKR_USER_NOT_LOGGED_IN");
    if (numberOf(key) !== this.#generation) fail("CKR_KEY_HANDLE_INVALID");
    if (this.#active.has(numberOf(session))) fail("CKR_OPERATION_ACTIVE");
    this.#active.set(numberOf(session), { mechanism, isBusy: false });
  }

  async #run(call: keyof Cryptoki, session: Handle): Promise<{ iv: Buffer; aad: Buffer }> {
    const active = this.#active.get(numberOf(session));
    if (active === undefined || active.isBusy) return fail("CKR_OPERATION_NOT_INITIALIZED");
    active.isBusy = true;
    // As on a thread: others have their turn while this runs.
    await new Promise((resolve) => setImmediate(resolve));
    this.#active.delete(numberOf(session));
    this.#enter(call);
    this.#assertSession(session);
    const { parameter } = active.mechanism;
    if (!("iv" in parameter)) return fail("CKR_MECHANISM_PARAM_INVALID");
    return parameter;
  }

  #enter(call: keyof Cryptoki): void {
    this.counts[call] = (this.counts[call] ?? 0) + 1;
    const index = this.#failures.findIndex((failure) => failure.call === call);
    const [failure] = index < 0 ? [] : this.#failures.splice(index, 1);
    if (failure !== undefined) fail(failure.name);
    if (call !== "C_Initialize" && !this.isInitialized) fail("CKR_CRYPTOKI_NOT_INITIALIZED");
  }

  #assertSession(session: Handle): void {
    if (!this.isInitialized) fail("CKR_CRYPTOKI_NOT_INITIALIZED");
    if (!this.#sessions.has(numberOf(session))) fail("CKR_SESSION_HANDLE_INVALID");
  }
}

function fail(name: string): never {
  throw new Error(`${name}:1`);
}

function handle(number: number): Handle {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(number);
  return bytes;
}

function numberOf(bytes: Handle): number {
  return bytes.readUInt32LE();
}
