import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { MUTANT_CODE, MUTANT_URL } from "./mutant-variables.js";
const TESTS = fileURLToPath(new URL("test-process.js", import.meta.url));
const LOADER = new URL("load-mutant.js", import.meta.url).href;
const running = new Set();
/** Runs the tests in a process of their own, until the first failure. */
export async function runTests({ altered, root, ...order }) {
    const child = spawn(process.execPath, [TESTS], {
        cwd: root,
        // A group of its own, so that what the tests start ends with them.
        detached: true,
        stdio: ["ignore", "pipe", "pipe", "ipc"],
        env: altered === undefined ? process.env : withAltered(altered),
    });
    running.add(child);
    let output = "";
    const keep = (chunk) => {
        output = (output + chunk.toString()).slice(-20_000);
    };
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    let report = {};
    child.on("message", (message) => {
        report = message;
    });
    // What a mutant ends before it is told anything has failed, by its status.
    child.send(order, () => { });
    return new Promise((resolve, reject) => {
        let outcome;
        const timer = setTimeout(() => {
            outcome = "timed out";
            endGroup(child);
        }, order.limit);
        child.on("error", reject);
        child.on("exit", (status) => {
            clearTimeout(timer);
            running.delete(child);
            endGroup(child);
            resolve({ ...report, outcome: outcome ?? (status === 0 ? "passed" : "failed"), output });
        });
    });
}
function withAltered({ url, code }) {
    const options = [process.env.NODE_OPTIONS, `--import=${LOADER}`].filter(Boolean).join(" ");
    return { ...process.env, NODE_OPTIONS: options, [MUTANT_URL]: url, [MUTANT_CODE]: code };
}
/** Ends every run at once, when the whole is interrupted. */
export function endTests() {
    for (const child of running)
        endGroup(child);
}
function endGroup(child) {
    if (child.pid === undefined)
        return;
    try {
        process.kill(-child.pid, "SIGKILL");
    }
    catch {
        // Nothing of it is left.
    }
}
