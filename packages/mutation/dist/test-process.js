import { pathToFileURL } from "node:url";
import Mocha from "mocha";
import { Coverage } from "./coverage.js";
function nameOf(test) {
    return `${test.file} ${test.fullTitle()}`;
}
function allTests(suite) {
    return [...suite.tests, ...suite.suites.flatMap(allTests)];
}
function keepOnly(suite, names) {
    suite.tests = suite.tests.filter((test) => names.has(nameOf(test)));
    for (const inner of suite.suites)
        keepOnly(inner, names);
}
async function run({ limit, files, only, positions }) {
    const coverage = positions && new Coverage(positions);
    const mocha = new Mocha({ bail: coverage === undefined, failZero: true, reporter: "dot", timeout: limit });
    // Imported here, since mocha would require them, and what is required passes by the hooks of import.
    for (const file of files) {
        mocha.suite.emit("pre-require", globalThis, file, mocha);
        await import(pathToFileURL(file).href);
        coverage?.take({ file });
    }
    if (only !== undefined) {
        const there = new Set(allTests(mocha.suite).map(nameOf));
        if (only.every((name) => there.has(name)))
            keepOnly(mocha.suite, new Set(only));
    }
    if (coverage !== undefined) {
        mocha.suite.afterEach(function () {
            const test = this.currentTest;
            if (test?.file !== undefined)
                coverage.take({ file: test.file, test: nameOf(test), took: test.duration ?? 0 });
        });
    }
    let failed;
    const runner = mocha.run((failures) => {
        const report = { ...(failed && { failed }), ...(coverage && { moments: coverage.moments }) };
        // Ended then, whatever is left.
        process.send?.(report, () => process.exit(failures > 0 ? 1 : 0));
    });
    runner.on("fail", (test) => {
        failed ??= nameOf(test);
    });
}
process.once("message", (order) => void run(order));
