import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { MUTANT_CODE, MUTANT_URL } from "./mutant-variables.js";
const TESTS = fileURLToPath(new URL("test-process.js", import.meta.url));
const LOADER = new URL("load-mutant.js", import.meta.url).href;
const running = new Set();
/** Runs the tests in a process of their own, until the first failure. */
export async function runTests({ url, code, tests, root, limit }) {
    const child = spawn(process.execPath, [TESTS, String(limit), ...tests], {
        cwd: root,
        // A group of its own, so that what the tests start ends with them.
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
        env: {
            ...process.env,
            NODE_OPTIONS: [process.env.NODE_OPTIONS, `--import=${LOADER}`].filter(Boolean).join(" "),
            [MUTANT_URL]: url,
            [MUTANT_CODE]: code,
        },
    });
    running.add(child);
    let output = "";
    const keep = (chunk) => {
        output = (output + chunk.toString()).slice(-20_000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    return new Promise((resolve, reject) => {
        let outcome;
        const timer = setTimeout(() => {
            outcome = "timed out";
            endGroup(child);
        }, limit);
        child.on("error", reject);
        child.on("exit", (status) => {
            clearTimeout(timer);
            running.delete(child);
            endGroup(child);
            resolve({ outcome: outcome ?? (status === 0 ? "passed" : "failed"), output });
        });
    });
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
