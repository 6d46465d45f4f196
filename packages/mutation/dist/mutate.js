import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isEquivalent } from "./equivalents.js";
import { mutantsOf, transpiled } from "./mutants.js";
import { runTests } from "./run-tests.js";
import { sample } from "./sample.js";
/** The mutants that these options choose, in the order of their files. */
export function candidates({ root, files, seed, max, ruleLines }) {
    const all = files.flatMap((source) => mutantsOf(readFileSync(join(root, source.path), "utf8")).map((mutant) => ({ source, mutant })));
    const chosen = ruleLines ? all.filter(({ mutant }) => mutant.rules.length > 0) : all;
    return sample(chosen, ({ source, mutant }) => `${source.path} ${mutant.lineText} ${mutant.change}`, seed, max);
}
/**
 * Tries the mutants, after the unaltered files.
 * @throws Error when tests fail, or there are none, before anything was altered
 */
export async function mutate(options) {
    const chosen = candidates(options);
    const concerned = new Map();
    const tried = [];
    let next = 0;
    const work = async () => {
        for (let index = next++; index < chosen.length; index = next++) {
            const candidate = chosen[index];
            if (candidate === undefined)
                return;
            const { source, mutant } = candidate;
            const outcome = isEquivalent(options.equivalents, source.path, mutant)
                ? "equivalent"
                : await outcomeOf(candidate, options, concerned);
            tried[index] = { file: source.path, mutant, outcome };
            options.onTried({ file: source.path, mutant, outcome });
        }
    };
    await Promise.all(Array.from({ length: options.jobs }, work));
    return tried;
}
async function outcomeOf({ source, mutant }, options, concerned) {
    const groups = concerned.get(source.path) ?? concerningTests(source, options);
    concerned.set(source.path, groups);
    for (const { tests, limit } of await groups) {
        const run = { url: source.url, code: mutant.code, tests, root: options.root, limit };
        const { outcome } = await runTests(run);
        if (outcome === "failed")
            return "killed";
        if (outcome === "timed out")
            return outcome;
    }
    return "survived";
}
/** Tests that pass, and would not if the file could not be loaded, with what they may take by what they take now. */
async function concerningTests({ path, url, tests: groups }, options) {
    const { root, limit } = options;
    const code = transpiled(readFileSync(join(root, path), "utf8"));
    const concerning = [];
    for (const tests of groups) {
        const start = performance.now();
        const { outcome, output } = await runTests({ url, code, tests, root, limit: 10 * limit });
        if (outcome !== "passed")
            throw new Error(`Tests of ${path} fail without a mutant (${outcome}):\n${output}`);
        const took = performance.now() - start;
        const broken = await runTests({ url, code: "throw new Error();", tests, root, limit: 10 * limit });
        if (broken.outcome !== "passed")
            concerning.push({ tests, limit: Math.max(limit, 3 * took) });
    }
    if (concerning.length === 0)
        throw new Error(`No test loads ${path}: name some that do with --tests.`);
    return concerning;
}
