import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { repository } from "./fixture.js";

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(repository, folder, "package.json"), "utf8"));
}

/** A package and what it depends on, at any depth. */
function withDependencies(name: string, known = new Set<string>()): ReadonlySet<string> {
  if (known.has(name)) return known;
  known.add(name);
  for (const inner of Object.keys(manifest(`node_modules/${name}`).dependencies ?? {})) withDependencies(inner, known);
  return known;
}

describe("the package", () => {
  // Not every package manager installs the peers of a dependency by itself: without them the import fails.
  it("brings the peers of inversify along", () => {
    const peers = [...withDependencies("inversify")].flatMap((name) =>
      Object.keys(manifest(`node_modules/${name}`).peerDependencies ?? {}),
    );
    expect(peers).to.not.have.length(0);
    expect(manifest("packages/container").dependencies).to.include.all.keys(peers);
  });
});
