import { KeyProblem } from "./key-problem.js";

/** A package that only some kinds of keys need. Where it is missing, `otherwise` says what else can be done. */
export async function optionalPackage<T>(name: string, load: () => Promise<T>, otherwise = ""): Promise<T> {
  try {
    return await load();
  } catch {
    throw new KeyProblem(`takes the package ${name}: npm install ${name}${otherwise}`);
  }
}
