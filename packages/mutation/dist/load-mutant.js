import { register } from "node:module";
// Given to each process of a test run by --import: the altered file is loaded in place of the one that was built, which
// stays as it is, so that nothing has to be put back, however the run ends.
register("./mutant-hooks.js", import.meta.url);
