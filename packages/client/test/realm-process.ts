// Runs our packages in a realm of their own, as Jest does with every test: its Error and Uint8Array are not Node's.
// Started with --experimental-vm-modules; says what came of each thing that it tried as JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import vm from "node:vm";

const [entry = "", folder = ""] = process.argv.slice(2);

const OF_THE_REALM = new Set(Object.getOwnPropertyNames(vm.runInNewContext("globalThis")));
// What Node adds to the language, and our packages take for granted.
const added = Object.getOwnPropertyNames(globalThis).filter((name) => !OF_THE_REALM.has(name));
const context = vm.createContext(Object.fromEntries(added.map((name) => [name, Reflect.get(globalThis, name)])));

const modules = new Map<string, vm.Module>();

async function moduleOf(specifier: string, parent: string): Promise<vm.Module> {
  const isOurs = specifier.startsWith(".") || specifier.startsWith("file:") || specifier.startsWith("@s3ec/");
  const url = isOurs ? urlOf(specifier, parent) : specifier;
  const known = modules.get(url);
  if (known !== undefined) return known;
  const module = isOurs ? ourModule(url) : await outerModule(specifier, parent);
  modules.set(url, module);
  return module;
}

function urlOf(specifier: string, parent: string): string {
  return specifier.startsWith("@")
    ? pathToFileURL(createRequire(parent).resolve(specifier)).href
    : new URL(specifier, parent).href;
}

function ourModule(url: string): vm.Module {
  return new vm.SourceTextModule(readFileSync(fileURLToPath(url), "utf8"), {
    identifier: url,
    context,
    initializeImportMeta: (meta) => {
      meta.url = url;
    },
    importModuleDynamically: async (specifier: string) => evaluated(await moduleOf(specifier, url)),
  });
}

/** Node's own modules, and those of the SDK: loaded once, outside. */
async function outerModule(specifier: string, parent: string): Promise<vm.Module> {
  const loaded: object = await import(
    specifier.startsWith("node:") ? specifier : pathToFileURL(createRequire(parent).resolve(specifier)).href
  );
  const names = Object.keys(loaded);
  return new vm.SyntheticModule(
    names,
    function () {
      for (const name of names) this.setExport(name, Reflect.get(loaded, name));
    },
    { context, identifier: specifier },
  );
}

async function evaluated(module: vm.Module): Promise<vm.Module> {
  if (module.status === "unlinked") {
    await module.link((specifier, { identifier }) => moduleOf(specifier, identifier));
  }
  await module.evaluate();
  return module;
}

const { namespace } = await evaluated(await moduleOf(entry, import.meta.url));
const run: unknown = Reflect.get(namespace, "run");
if (typeof run !== "function") throw new Error("The entry exports no run.");
process.stdout.write(JSON.stringify(await run(folder)));
