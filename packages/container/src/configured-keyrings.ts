import type { KeyringConfiguration } from "./keyring-descriptor.js";
import type { ManagerConfiguration } from "./manager-descriptor.js";

/** The type of the manager that chooses among keyrings. */
export const BY_OBJECT = "by-object";

type Path = readonly PropertyKey[];

interface Managed {
  readonly keyring?: KeyringConfiguration;
  readonly materialsManager?: ManagerConfiguration;
}

/** One rule of a `by-object` manager. */
export interface RuleConfiguration {
  readonly bucket?: string;
  readonly prefix?: string;
  readonly keyring?: KeyringConfiguration;
  readonly manager?: ManagerConfiguration;
}

export interface KeyringPlace {
  readonly keyring: KeyringConfiguration;
  readonly path: Path;
}

/** Objects, and the keyring that serves them: the file's, or a rule's. */
export interface ServedObjects extends KeyringPlace {
  /** The rules that lead there, from the outermost on; none where one keyring serves every object. */
  readonly rules: readonly RuleConfiguration[];
}

type Serving = Omit<ServedObjects, "keyring"> & { readonly keyring: KeyringConfiguration | undefined };

/** Which keyring serves which objects. */
export function servedObjects(managed: Managed): ServedObjects[] {
  return endsOf(managed).flatMap(({ serving: { keyring, ...rest } }) =>
    keyring === undefined ? [] : [{ ...rest, keyring }],
  );
}

/** The keyrings of a configuration, each once, whatever it serves. */
export function keyringsOf(managed: Managed): KeyringPlace[] {
  return [...new Map(servedObjects(managed).map((served) => [served.keyring, served])).values()];
}

function endsOf({ keyring, materialsManager }: Managed): End[] {
  return ends(materialsManager, ["materialsManager"], { keyring, path: ["keyring"], rules: [] });
}

interface End {
  readonly serving: Serving;
  /** The manager or rule that ends there, without another inside. */
  readonly path: Path;
}

/** Where managers end, and which keyring is there. */
function ends(manager: ManagerConfiguration | undefined, path: Path, outer: Serving): End[] {
  if (manager === undefined) return [{ serving: outer, path }];
  if (manager.type === BY_OBJECT) {
    return rulesOf(manager).flatMap((rule, index) => {
      const place = [...path, "rules", index];
      const own = rule.keyring === undefined ? outer : { ...outer, keyring: rule.keyring, path: [...place, "keyring"] };
      const serving = { ...own, rules: [...outer.rules, rule] };
      return rule.manager === undefined
        ? [{ serving, path: place }]
        : ends(rule.manager, [...place, "manager"], serving);
    });
  }
  const inner = managerInside(manager);
  return inner === undefined ? [{ serving: outer, path }] : ends(inner, [...path, "manager"], outer);
}

/** A keyring that is missing, or that nothing would ask. */
export function requiredKeyrings(managed: Managed): { path: Path; message: string }[] {
  const found = endsOf(managed);
  if (managed.keyring === undefined) {
    const lacking = found.filter(({ serving }) => serving.keyring === undefined);
    if (lacking.some(({ serving }) => serving.rules.length === 0)) {
      return [{ path: ["keyring"], message: "expected object, but it is missing" }];
    }
    return lacking.map(({ path }) => ({
      path: [...path, "keyring"],
      message: "expected a keyring, since there is none beside the rules for those that have none",
    }));
  }
  if (found.some(({ serving }) => serving.path[0] === "keyring")) return [];
  const message = "expected a rule that has no keyring and so uses this one, such as {} for all other objects";
  return [{ path: ["keyring"], message }];
}

export function rulesOf(manager: ManagerConfiguration): readonly RuleConfiguration[] {
  return manager.type === BY_OBJECT && Array.isArray(manager.rules) ? manager.rules : [];
}

/** The one that a manager stands around, where it has one in the field of that name, as the built-in types do. */
export function managerInside({ manager }: ManagerConfiguration): ManagerConfiguration | undefined {
  const isManager = typeof manager === "object" && manager !== null && "type" in manager;
  return isManager && typeof manager.type === "string" ? (manager as ManagerConfiguration) : undefined;
}

/** `of the bucket demo under "tenant-a/"`; after "objects". */
export function objectsOf({ bucket, prefix = "" }: RuleConfiguration): string {
  const named = bucket === undefined ? "" : `of the bucket ${bucket}`;
  const under = prefix === "" ? "" : `under ${JSON.stringify(prefix)}`;
  return [named, under].filter((each) => each !== "").join(" ") || "of no other rule";
}
