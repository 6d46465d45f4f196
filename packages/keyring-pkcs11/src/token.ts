import { CK, type Cryptoki, type Handle, type TokenSession } from "./cryptoki.js";
import type { LoadedModule } from "./loaded-module.js";
import { type PinSource, readPin } from "./pin.js";
import { SessionPool } from "./session-pool.js";
import { findSlot, type SlotSelector } from "./slot.js";
import { isLost, isRefusedPin, keyUnavailable, loginFailed, returnValue, tokenError } from "./token-errors.js";

export interface TokenOptions<Keys> {
  /** With one user more for this token, which `close` takes away. */
  readonly module: LoadedModule;
  readonly slot: SlotSelector;
  /** Without it nobody logs in, and only public objects are seen. */
  readonly pin: PinSource | undefined;
  readonly maxSessions: number;
  /** Looks up what operations need; once for each login, which makes earlier handles invalid. */
  readonly findKeys: (session: TokenSession) => Keys;
}

interface Connection<Keys> {
  readonly sessions: SessionPool;
  readonly keys: Keys;
}

/**
 * A token in use: sessions, login and key handles, made when they are needed and made again when they were lost. All
 * errors are typed; `key-unavailable` where the token is gone or refuses.
 */
export class Token<Keys> {
  readonly #options: TokenOptions<Keys>;
  #connection: Promise<Connection<Keys>> | undefined;
  /** The return value of a login whose PIN was refused. */
  #refusedPin: string | undefined;
  #running = 0;
  #isClosed = false;

  constructor(options: TokenOptions<Keys>) {
    this.#options = options;
  }

  /** Runs an operation with a session of its own. One that loses the session or the login is run once more. */
  async use<T>(operate: (session: TokenSession, keys: Keys) => T | Promise<T>): Promise<T> {
    for (let isLastTry = false; ; ) {
      const connecting = this.#connected();
      const connection = await connecting;
      let handle: Handle | undefined;
      try {
        handle = await connection.sessions.take();
        // Others lost this connection while we waited.
        if (handle === undefined) continue;
        this.#running++;
        return await operate({ cryptoki: this.#options.module.cryptoki, handle }, connection.keys);
      } catch (error) {
        if (!isLost(error)) throw tokenError(error);
        connection.sessions.retire();
        if (this.#connection === connecting) this.#connection = undefined;
        if (isLastTry) throw tokenError(error);
        isLastTry = true;
      } finally {
        if (handle !== undefined) {
          this.#running--;
          connection.sessions.give(handle);
        }
      }
    }
  }

  /** Throws `key-unavailable` once it is closed. */
  assertOpen(): void {
    if (this.#isClosed) throw keyUnavailable("This PKCS#11 keyring is closed; open another one.");
  }

  /** Waits for what is running, closes the sessions, and with the module's last token the module. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.sessions.drain();
    this.#options.module.removeUser();
  }

  #connected(): Promise<Connection<Keys>> {
    this.assertOpen();
    if (this.#connection !== undefined) return this.#connection;
    const connection = this.#connect();
    this.#connection = connection;
    connection.catch(() => {
      if (this.#connection === connection) this.#connection = undefined;
    });
    return connection;
  }

  async #connect(): Promise<Connection<Keys>> {
    const { module, slot, maxSessions, findKeys } = this.#options;
    const { cryptoki } = module;
    if (this.#refusedPin !== undefined) throw loginFailed(this.#refusedPin);
    try {
      module.initialize();
      const slotHandle = findSlot(cryptoki, slot);
      const open = (): Handle => cryptoki.C_OpenSession(slotHandle, CK.CKF_SERIAL_SESSION);
      const close = (session: Handle): void => closeSession(cryptoki, session);
      const first = open();
      try {
        await this.#login(first);
        const keys = findKeys({ cryptoki, handle: first });
        return { keys, sessions: new SessionPool({ first, open, close, limit: maxSessions }) };
      } catch (error) {
        close(first);
        throw error;
      }
    } catch (error) {
      // Some modules see a token that came back only after they were initialized again.
      if (this.#refusedPin === undefined && this.#running === 0) module.finalizeForOnlyUser();
      throw tokenError(error);
    }
  }

  /** Logs the process in, for all of its sessions with this token. */
  async #login(session: Handle): Promise<void> {
    if (this.#options.pin === undefined) return;
    const pin = await readPin(this.#options.pin);
    try {
      this.#options.module.cryptoki.C_Login(session, CK.CKU_USER, pin);
    } catch (error) {
      const name = returnValue(error);
      if (name === "CKR_USER_ALREADY_LOGGED_IN") return;
      // Never again: each attempt brings the token closer to locking the PIN.
      if (isRefusedPin(name)) this.#refusedPin = name;
      throw loginFailed(name);
    }
  }
}

function closeSession(cryptoki: Cryptoki, session: Handle): void {
  try {
    cryptoki.C_CloseSession(session);
  } catch {
    // It was closed by the token's removal, or by somebody else.
  }
}
