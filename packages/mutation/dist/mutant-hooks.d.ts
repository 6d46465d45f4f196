import type { LoadHook } from "node:module";
/** Gives the altered file where the built one is imported. */
export declare const load: LoadHook;
