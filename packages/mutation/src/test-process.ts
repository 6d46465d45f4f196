import { pathToFileURL } from "node:url";
import Mocha from "mocha";

// One run of mocha over the files that are named: until the first failure, and ended then whatever is left. They are imported
// here, since mocha would require them, and what is required passes by the hooks of import.
const [limit, ...files] = process.argv.slice(2);
const mocha = new Mocha({ bail: true, failZero: true, reporter: "dot", timeout: Number(limit) });
mocha.suite.emit("pre-require", globalThis, "", mocha);
for (const file of files) await import(pathToFileURL(file).href);
mocha.run((failures) => process.exit(failures > 0 ? 1 : 0));
