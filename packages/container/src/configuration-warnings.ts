import { type KeyringPlace, keyringsOf, managerInside, rulesOf } from "./configured-keyrings.js";
import { s3FormatOptionsOf } from "./formats.js";
import { formatPath } from "./invalid-configuration.js";
import type { KeyringConfiguration, KeyringRole } from "./keyring-descriptor.js";
import type { LoadedConfiguration } from "./load-configuration.js";
import type { ManagerConfiguration } from "./manager-descriptor.js";

type Path = readonly PropertyKey[];

/** Switches of keyrings that give up a protection, and what their being on means. */
const DANGEROUS: Readonly<Record<string, string>> = {
  enableUnpaddedRsa: "data keys that textbook RSA wrapped are opened, which whoever can write to the bucket may alter",
  enableCbcRewrapBoundToGcm: "whoever can write to the bucket may relabel GCM objects as CBC",
  enableWeakKeysForReading: "keys that can be broken are taken",
  acceptUnstoredContext: "an encryption context that is not stored is believed to the caller",
};

/** What a valid configuration has that is dangerous, or does not do what it says; sentences that begin with the field. */
export function warningsOf(loaded: LoadedConfiguration): string[] {
  const { configuration } = loaded;
  return [
    ...muteKeyrings(loaded).map((path) => `${path} can only read: every write fails for want of its wrap.`),
    ...keyringsOf(configuration).flatMap(({ keyring, path }) => ofKeyring(loaded, keyring, path, "generator")),
    ...ofManager(loaded, configuration.materialsManager, ["materialsManager"]),
    ...ofClient(loaded),
  ];
}

function ofKeyring(
  loaded: LoadedConfiguration,
  keyring: KeyringConfiguration,
  path: Path,
  role: KeyringRole,
): string[] {
  const own = Object.entries(DANGEROUS).flatMap(([name, meaning]) =>
    keyring[name] === true ? [`${formatPath([...path, name])} is on: ${meaning}.`] : [],
  );
  const { type, discoveryFilter } = keyring;
  if (type === "kms-discovery" && discoveryFilter === undefined) {
    own.push(
      `${formatPath(path)} takes whichever KMS key an object names: whoever can write to the bucket chooses it. Name accounts in its discoveryFilter.`,
    );
  }
  return [
    ...own,
    ...partsOf(keyring, path, role).flatMap((part) => ofKeyring(loaded, part.keyring, part.path, part.role)),
  ];
}

/**
 * The paths of the keyrings without whose wrap nothing can be written, and that wrap nothing. None for a keyring that only
 * reads. Default: of all keyrings of the configuration.
 */
export function muteKeyrings(
  loaded: LoadedConfiguration,
  keyrings: readonly KeyringPlace[] = keyringsOf(loaded.configuration),
): string[] {
  return keyrings.flatMap(({ keyring, path }) => muteParts(loaded, { keyring, path, role: "generator" }));
}

function muteParts(loaded: LoadedConfiguration, { keyring, path, role }: Part): string[] {
  // Without a generator it is meant to only read, whatever its children are.
  if (keyring.generator === undefined) return [];
  return partsOf(keyring, path, role).flatMap((part) => {
    const writes = loaded.registry.explain(part.keyring, part.role).some(({ writing }) => writing !== null);
    return writes ? muteParts(loaded, part) : [formatPath(part.path)];
  });
}

interface Part {
  readonly keyring: KeyringConfiguration;
  readonly path: Path;
  readonly role: KeyringRole;
}

/** The keyrings that a multi-keyring holds. */
function partsOf({ type, generator, children }: KeyringConfiguration, path: Path, role: KeyringRole): Part[] {
  if (type !== "multi" || !Array.isArray(children)) return [];
  return [
    ...(isObject(generator) ? [{ keyring: generator, path: [...path, "generator"], role }] : []),
    ...children.flatMap((child: unknown, index): Part[] => {
      const keyring = isObject(child) ? child.keyring : undefined;
      return isObject(keyring) ? [{ keyring, path: [...path, "children", index, "keyring"], role: "child" }] : [];
    }),
  ];
}

function ofManager(loaded: LoadedConfiguration, manager: ManagerConfiguration | undefined, path: Path): string[] {
  if (manager === undefined) return [];
  const inner = [
    ...ofManager(loaded, managerInside(manager), [...path, "manager"]),
    ...rulesOf(manager).flatMap((rule, index) => ofManager(loaded, rule.manager, [...path, "rules", index, "manager"])),
  ];
  if (manager.type !== "caching") return inner;
  const place = formatPath(path);
  const { client = {} } = loaded.configuration;
  const own: string[] = [];
  if (client.commitmentPolicy === "FORBID_ENCRYPT_ALLOW_DECRYPT") {
    own.push(
      `${place} saves nothing when objects are written: only objects with key commitment share data keys, and client.commitmentPolicy forbids it.`,
    );
  }
  if (manager.maxMessages === 1)
    own.push(`${place}.maxMessages is 1: each object that is written gets a data key of its own.`);
  if (holdsCaching(managerInside(manager)))
    own.push(`${place} caches what another caching manager inside it caches already.`);
  return [...own, ...inner];
}

function holdsCaching(manager: ManagerConfiguration | undefined): boolean {
  return (
    manager !== undefined &&
    (manager.type === "caching" ||
      holdsCaching(managerInside(manager)) ||
      rulesOf(manager).some((rule) => holdsCaching(rule.manager)))
  );
}

function ofClient({ configuration: { client = {} } }: LoadedConfiguration): string[] {
  return s3FormatOptionsOf(client)?.enableLegacyUnauthenticatedModes === true
    ? [
        "client.enableLegacyUnauthenticatedModes is on: CBC content and byte ranges are given out although nothing shows whether they were altered.",
      ]
    : [];
}

function isObject(value: unknown): value is KeyringConfiguration {
  return typeof value === "object" && value !== null;
}
