import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
/** Packages that are tested by what is built on them, too. */
const ALSO_TESTED_IN = new Map([
    ["format-s3", ["client"]],
    ["materials", ["keyring-raw-aes", "keyring-raw-rsa"]],
]);
/** Tests that take longer than they tell: every vector again, and the examples of documents. */
const LEFT_OUT = /(vectors|readme|examples|write-a-keyring|declarations)\.test\.js$/;
/**
 * The TypeScript files at a path, which is a file, or a folder with all that is below.
 * @throws Error for a path that is in no package's `src`
 */
export function sourceFiles(root, path, tests = []) {
    const full = join(root, path);
    if (!existsSync(full))
        throw new Error(`There is no ${path}.`);
    return filesBelow(full)
        .filter((file) => file.endsWith(".ts") && !file.endsWith("index.ts"))
        .map((file) => describe(root, relative(root, file).split(sep).join("/"), tests));
}
function describe(root, path, given) {
    const [, folder, name, rest] = /^(.*?)([^/]+)\/src\/(.+)\.ts$/.exec(path) ?? [];
    if (folder === undefined || name === undefined || rest === undefined)
        throw new Error(`${path} is no source file.`);
    const url = pathToFileURL(join(root, folder, name, "dist", `${rest}.js`)).href;
    if (given.length > 0)
        return { path, url, tests: given, own: [] };
    const below = (of) => join(root, folder, of, "dist-test");
    const all = [name, ...(ALSO_TESTED_IN.get(name) ?? [])]
        .flatMap((of) => filesBelow(below(of)))
        .filter((file) => file.endsWith(".test.js") && !LEFT_OUT.test(file));
    const own = all.filter((file) => isOwn(relative(below(name), file).split(sep).join("/"), rest));
    return { path, url, tests: all, own };
}
/** Whether a test is of the source file at `rest`: it has its path, or is in its folder, which is not the topmost. */
function isOwn(test, rest) {
    return test === `${rest}.test.js` || (dirname(rest) !== "." && dirname(test) === dirname(rest));
}
function filesBelow(path) {
    if (!existsSync(path))
        return [];
    if (statSync(path).isFile())
        return [path];
    return readdirSync(path)
        .filter((name) => !basename(name).startsWith("."))
        .sort()
        .flatMap((name) => filesBelow(join(path, name)));
}
