import { inParallel } from "@s3ec/bulk";
import { type Time, timeOf, tooLarge } from "./capacity.js";
import { type BatchServices, type Connection, connect } from "./connection.js";
import { type Invocation, invocationOf, type Task } from "./event.js";
import { failureOf, isChangedMeanwhile } from "./failure.js";
import { audit } from "./operations/audit.js";
import { migrate } from "./operations/migrate.js";
import { GONE } from "./operations/nothing-to-do.js";
import { headOf, type ObjectTask } from "./operations/object-task.js";
import { rewrap } from "./operations/rewrap.js";
import { verify } from "./operations/verify.js";
import type { BatchResponse, Outcome, TaskResult } from "./response.js";
import { type Environment, type Pace, paceOf, type Settings, settingsOf } from "./settings.js";

/** What the handler is configured with, beside what it is called with. */
export interface BatchHandlerOptions extends BatchServices {
  /** Where `S3EC_CONFIG` and the others are taken from. Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** What the handler uses of Lambda's context. */
export interface InvocationContext {
  /** Milliseconds until Lambda ends the invocation. */
  getRemainingTimeInMillis(): number;
}

/** Answers one invocation by S3 Batch Operations. */
export type BatchHandler = (event: unknown, context?: InvocationContext) => Promise<BatchResponse>;

/** Tasks that are remembered as changed by others meanwhile. */
const MAX_REMEMBERED = 10_000;

/**
 * A handler for the Lambda task of S3 Batch Operations, of invocation schema 1.0 and 2.0. Every task is answered, whatever goes wrong
 * with it; what it throws is about the event itself.
 */
export function createBatchHandler(options: BatchHandlerOptions = {}): BatchHandler {
  const { env = process.env, ...services } = options;
  const connections = new Map<string, Promise<Connection>>();
  const changedBefore = new Set<string>();

  /** Read once for all invocations of a process; what failed is tried again. */
  const connected = (settings: Settings): Promise<Connection> => {
    const { operation, use, toUse, keyOfUse, askKms } = settings;
    const name = JSON.stringify([operation, use, toUse, keyOfUse, askKms]);
    const known = connections.get(name);
    if (known !== undefined) return known;
    const made = connect(settings, env, services);
    connections.set(name, made);
    made.catch(() => connections.delete(name));
    return made;
  };

  const failed = (error: unknown, task: string): Outcome => {
    const outcome = failureOf(error, changedBefore.has(task));
    if (isChangedMeanwhile(error) && changedBefore.size < MAX_REMEMBERED) changedBefore.add(task);
    return outcome;
  };

  return async (event, context) => {
    const invocation = invocationOf(event);
    const { schemaVersion: invocationSchemaVersion, invocationId, tasks, jobId } = invocation;
    const time = timeOf(context === undefined ? undefined : () => context.getRemainingTimeInMillis());
    const results = await new Invoked(invocation, env, time, connected).results(tasks, (error, { taskId }) =>
      failed(error, JSON.stringify([jobId, taskId])),
    );
    return { invocationSchemaVersion, treatMissingKeysAs: "PermanentFailure", invocationId, results };
  };
}

/** One invocation. */
class Invoked {
  readonly #invocation: Invocation;
  readonly #env: Environment;
  readonly #time: Time;
  readonly #connected: (settings: Settings) => Promise<Connection>;

  constructor(
    invocation: Invocation,
    env: Environment,
    time: Time,
    connected: (settings: Settings) => Promise<Connection>,
  ) {
    this.#invocation = invocation;
    this.#env = env;
    this.#time = time;
    this.#connected = connected;
  }

  async results(
    tasks: readonly Task[],
    failed: (error: unknown, task: Task) => Outcome,
  ): Promise<readonly TaskResult[]> {
    let work: { readonly settings: Settings; readonly pace: Pace; readonly connection: Connection };
    try {
      const settings = settingsOf(this.#env, this.#invocation.userArguments);
      work = { settings, pace: paceOf(this.#env), connection: await this.#connected(settings) };
    } catch (error) {
      return tasks.map((task) => ({ taskId: task.taskId, ...failed(error, task) }));
    }
    const answer = async (task: Task): Promise<TaskResult> => {
      const outcome = await this.#outcome(task, work).catch((error: unknown) => failed(error, task));
      return { taskId: task.taskId, ...outcome };
    };
    const results: TaskResult[] = [];
    for await (const result of inParallel(tasks, work.pace.concurrency, answer)) results.push(result);
    return results;
  }

  async #outcome(
    { target }: Task,
    {
      settings,
      pace,
      connection,
    }: { readonly settings: Settings; readonly pace: Pace; readonly connection: Connection },
  ): Promise<Outcome> {
    if (target instanceof Error) throw target;
    const left = this.#time.left();
    const signal = Number.isFinite(left) ? AbortSignal.timeout(left) : new AbortController().signal;
    const task: ObjectTask = { target, settings, connection, signal };
    if (settings.operation === "audit") return await audit(task);
    const head = await headOf(task);
    if (head === undefined) return GONE;
    const refused = tooLarge(settings, pace, this.#time, head, target);
    if (refused !== undefined) return refused;
    if (settings.operation === "verify") return await verify(task);
    return settings.operation === "rewrap" ? await rewrap(task, head) : await migrate(task, head);
  }
}
