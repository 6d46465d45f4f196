import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { run } from "./run.js";

/** A registry on this machine that has our packages and no others, as they are packed now; package managers get those of `@s3ec` here. */
export class PackedPackages implements AsyncDisposable {
  readonly url: string;
  readonly version: string;
  readonly #server: Server;

  private constructor(url: string, version: string, server: Server) {
    this.url = url;
    this.version = version;
    this.#server = server;
  }

  /**
   * Packs all packages of the monorepo at `root` that are public.
   *
   * @param folder for the tarballs
   */
  static async start(root: string, folder: string): Promise<PackedPackages> {
    const listed = await run(join(root, "node_modules/.bin/lerna"), ["list", "--json", "--loglevel=silent"], {
      cwd: root,
    });
    const tarballs = new Map<string, Buffer>();
    const manifests = new Map<string, Record<string, unknown>>();
    for (const { name, location } of JSON.parse(listed)) {
      const file = `${name.replace("@", "").replace("/", "-")}`;
      await run("npm", ["pack", "--pack-destination", folder, "--loglevel=error"], { cwd: location });
      const manifest = JSON.parse(await readFile(join(location, "package.json"), "utf8"));
      tarballs.set(`/${name}/-/${file}.tgz`, await readFile(join(folder, `${file}-${manifest.version}.tgz`)));
      manifests.set(name, manifest);
    }
    const server = createServer(({ url = "" }, response) => {
      const path = decodeURIComponent(url);
      const tarball = tarballs.get(path);
      if (tarball !== undefined) return void response.end(tarball);
      const manifest = manifests.get(path.slice(1));
      if (manifest === undefined) return void response.writeHead(404).end();
      const at = `/${manifest["name"]}/-/${path.slice(2).replace("/", "-")}.tgz`;
      answer(response, packument(manifest, tarballs.get(at) ?? Buffer.alloc(0), `${origin(server)}${at}`));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const [first] = manifests.values();
    return new PackedPackages(`${origin(server)}/`, String(first?.["version"]), server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}

function origin(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The registry does not listen.");
  return `http://127.0.0.1:${address.port}`;
}

function answer(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** What a registry tells about a package. Published long ago, since package managers refuse what is too new. */
function packument(manifest: Record<string, unknown>, tarball: Buffer, url: string): unknown {
  const { name, version } = manifest;
  const hash = (algorithm: string, encoding: "hex" | "base64") =>
    createHash(algorithm).update(tarball).digest(encoding);
  const dist = { tarball: url, shasum: hash("sha1", "hex"), integrity: `sha512-${hash("sha512", "base64")}` };
  const published = "2020-01-01T00:00:00.000Z";
  return {
    name,
    "dist-tags": { latest: version },
    versions: { [String(version)]: { ...manifest, dist } },
    time: { created: published, modified: published, [String(version)]: published },
  };
}
