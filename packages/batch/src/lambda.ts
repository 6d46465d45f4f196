import { type BatchHandler, createBatchHandler } from "./handler.js";

/** What Lambda calls: configured by the environment alone. */
export const handler: BatchHandler = createBatchHandler();
