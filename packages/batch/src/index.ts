export type { BatchServices } from "./connection.js";
export type { BatchHandler, BatchHandlerOptions, InvocationContext } from "./handler.js";
export { createBatchHandler } from "./handler.js";
export type { BatchResponse, ResultCode, TaskResult } from "./response.js";
