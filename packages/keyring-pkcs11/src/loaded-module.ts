import { realpathSync } from "node:fs";
import { loadCryptoki } from "./binding.js";
import { CK, type Cryptoki } from "./cryptoki.js";
import { returnValue } from "./token-errors.js";

/**
 * A PKCS#11 module of this process. It is initialized once for everybody in the process, so keyrings share it and only
 * the last one finalizes it, and only if one of them initialized it.
 */
export class LoadedModule {
  readonly cryptoki: Cryptoki;
  #users = 0;
  #isOurs = false;

  constructor(cryptoki: Cryptoki) {
    this.cryptoki = cryptoki;
  }

  /** Initializes it, unless somebody has. */
  initialize(): void {
    try {
      // Decryption runs on threads.
      this.cryptoki.C_Initialize({ flags: CK.CKF_OS_LOCKING_OK });
      this.#isOurs = true;
    } catch (error) {
      if (returnValue(error) !== "CKR_CRYPTOKI_ALREADY_INITIALIZED") throw error;
    }
  }

  addUser(): void {
    this.#users++;
  }

  removeUser(): void {
    this.#users--;
    if (this.#users === 0) this.#finalize();
  }

  /** For a module that notices only then that a token came back; `initialize` follows. */
  finalizeForOnlyUser(): void {
    if (this.#users === 1) this.#finalize();
  }

  #finalize(): void {
    if (!this.#isOurs) return;
    this.#isOurs = false;
    try {
      this.cryptoki.C_Finalize();
    } catch {
      // Somebody else in the process has done it.
    }
  }
}

/** Kept for good: unloading a library under its own threads would end the process. */
const modules = new Map<string, LoadedModule>();

/** The module at a path, loaded once, with one user more. Throws `invalid-configuration` when it cannot be loaded. */
export async function useModule(path: string): Promise<LoadedModule> {
  const key = realPath(path);
  const module = modules.get(key) ?? registerModule(key, await loadCryptoki(path));
  module.addUser();
  return module;
}

/** Takes a module as the one at a path, unless there is one already. */
export function registerModule(path: string, cryptoki: Cryptoki): LoadedModule {
  const module = modules.get(path) ?? new LoadedModule(cryptoki);
  modules.set(path, module);
  return module;
}

/** Two names of one file are one module; a name without a folder is looked up by the loader. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
