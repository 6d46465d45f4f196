/**
 * Whether this is Cloudflare's Workers, or their `workerd`: 128 MiB for all that an isolate holds, and files that are kept
 * in them.
 */
export const IS_WORKER: boolean = Reflect.get(globalThis, "navigator")?.userAgent === "Cloudflare-Workers";
