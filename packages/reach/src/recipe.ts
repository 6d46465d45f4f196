/** What programs are run by. */
export type Runtime = "Node 20" | "Node 22" | "Node 24" | "Node 26" | "Bun" | "Deno" | "workerd" | "Chromium";

/** What installs packages, and where it puts them. */
export type Manager = "npm" | "pnpm" | "Yarn, node_modules" | "Yarn, PnP" | "bun" | "deno";

/** A step: a program with its arguments. `node`, `bun` and `deno` are the recipe's, any other comes with what was installed. */
export type Step = readonly [program: string, ...args: string[]];

/** One combination: what is installed by what, which files lie beside it, and what is run. */
export interface Recipe {
  /** Also the name of its bucket. */
  readonly name: string;
  readonly runtime: Runtime;
  readonly manager: Manager;
  /** Of the matrix: what loads our packages. `{typescript}` becomes the version that was installed of it. */
  readonly loadedBy: string;
  readonly modules: "ES modules" | "CommonJS";
  /** Beside ours and the SDK's: names with ranges, as npm writes them. */
  readonly packages?: Readonly<Record<string, string>>;
  /** Of package.json, beside names and dependencies. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** What a user adds to Yarn's .yarnrc.yml. */
  readonly yarnrc?: string;
  readonly files: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
  /** What the last step has to print where it must not load: then it puts and gets nothing. */
  readonly refusal?: string;
}

/** What came of a recipe. */
export type Outcome =
  | { readonly outcome: "passed" | "refused by name" }
  | { readonly outcome: "failed"; readonly why: string }
  | { readonly outcome: "not to be had here"; readonly why: string };

/** A recipe with what came of it. */
export interface Result {
  readonly recipe: Recipe;
  /** By package, and of runtime and manager by their names; what nobody got to know is not there. */
  readonly versions: Readonly<Record<string, string>>;
  readonly outcome: Outcome;
}
