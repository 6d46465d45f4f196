import { candidates } from "./candidates.js";
import { Trial } from "./trial.js";
/**
 * Tries the mutants, after the unaltered files.
 * @throws Error when tests fail, or there are none, before anything was altered
 */
export async function mutate(options) {
    const chosen = candidates(options);
    const trial = new Trial(options, chosen);
    const tried = [];
    let next = 0;
    const work = async () => {
        for (let index = next++; index < chosen.length; index = next++) {
            const candidate = chosen[index];
            if (candidate === undefined)
                return;
            const outcome = await trial.outcomeOf(candidate);
            const end = { file: candidate.source.path, mutant: candidate.mutant, outcome };
            tried[index] = end;
            options.onTried(end);
        }
    };
    await Promise.all(Array.from({ length: options.jobs }, work));
    return tried;
}
