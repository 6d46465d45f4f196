import { createHash } from "node:crypto";
import { access, readdir, readFile, readlink } from "node:fs/promises";
import { hostname, networkInterfaces } from "node:os";
import { promisify } from "node:util";
import { isError } from "@s3ec/materials";

/** Which process of which machine, as far as a system tells. */
export interface ProcessIdentity {
  /** Of the network; a container has its own. */
  readonly host: string;
  /** The same for as long as this very machine has this name, and not that of a copy of it. Empty where that is not certain. */
  readonly machine: string;
  /** Changes whenever the machine starts. Empty where the system has none. */
  readonly boot: string;
  /** In which the process has its id: a container has its own. Empty where the system has none. */
  readonly namespace: string;
  readonly pid: number;
  /** When it started: ids are given again. Empty where the system does not tell. */
  readonly started: string;
}

/** `unknown`: it may be running where this system does not see it. */
export type ProcessState = "running" | "gone" | "unknown";

/** Of the processes of a Linux that are in no container. */
const OUTSIDE_CONTAINERS = "pid:[4026531836]";

/** @param holder undefined for what was cut short when it was written */
export async function stateOf(holder: ProcessIdentity | undefined, us: ProcessIdentity): Promise<ProcessState> {
  if (holder === undefined) return "gone";
  // Of two that were resumed from one snapshot, also what changes whenever a machine starts is the same.
  if (holder.machine !== "" && us.machine !== "" && holder.machine !== us.machine) return "unknown";
  const isSameMachine = holder.machine !== "" && holder.machine === us.machine && holder.host === us.host;
  if (holder.boot !== us.boot) {
    // That it has started since is proof only of a machine that is known: two may have one name, and share a folder.
    return isSameMachine && holder.boot !== "" && us.boot !== "" ? "gone" : "unknown";
  }
  const isHere = holder.namespace === us.namespace && (us.boot !== "" || isSameMachine);
  if (!isHere) return "unknown";
  return (await isRunning(holder)) ? "running" : "gone";
}

/** Undefined for what is none. One of an earlier release says nothing of the machine. */
export function holderIn(text: string): ProcessIdentity | undefined {
  try {
    const { host, machine = "", boot, namespace, pid, started } = JSON.parse(text);
    return {
      host: String(host),
      machine: String(machine),
      boot: String(boot),
      namespace: String(namespace),
      pid: Number(pid),
      started: String(started),
    };
  } catch {
    return undefined;
  }
}

export async function thisProcess(): Promise<ProcessIdentity> {
  const [boot, namespace, started] = await Promise.all([
    bootId(),
    orEmpty(readlink("/proc/self/ns/pid")),
    startOf(process.pid),
  ]);
  return { host: hostname(), machine: await machineId(namespace), boot, namespace, pid: process.pid, started };
}

async function isRunning({ pid, started }: ProcessIdentity): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Somebody else's runs, too.
    if (!isError(error) || error.code !== "EPERM") return false;
  }
  const now = await startOf(pid);
  // Where it could not be read, then or now, it says nothing.
  return now === "" || started === "" || now === started;
}

async function bootId(): Promise<string> {
  if (process.platform !== "darwin") return await orEmpty(readFile("/proc/sys/kernel/random/boot_id", "utf8"));
  return await orEmpty(bootSession());
}

async function bootSession(): Promise<string> {
  const { execFile } = await import("node:child_process");
  return (await promisify(execFile)("/usr/sbin/sysctl", ["-n", "kern.bootsessionuuid"])).stdout;
}

/**
 * A digest: what is in it is nobody else's business. The id of a Linux stands in its disk, and so in each clone of that, and in
 * a container it is the image's, or the host's: only outside, and together with the addresses of its network cards, it names
 * one machine.
 */
async function machineId(namespace: string): Promise<string> {
  const isLinux = process.platform === "linux";
  if (isLinux && namespace !== OUTSIDE_CONTAINERS) return "";
  const id = isLinux ? await orEmpty(readFile("/etc/machine-id", "utf8")) : process.platform;
  const cards = isLinux ? await addressesOfCards() : addressesInUse();
  if (id === "" || cards.length === 0) return "";
  const parts = JSON.stringify(["s3ec lock", id, cards.sort()]);
  return createHash("sha256").update(parts).digest("hex");
}

/** Those that have a device: bridges and tunnels come and go, and may be called alike everywhere. */
async function addressesOfCards(): Promise<string[]> {
  const folder = "/sys/class/net";
  const names = await readdir(folder).catch(() => []);
  const addresses = await Promise.all(
    names.map(async (name) => {
      const hasDevice = await access(`${folder}/${name}/device`).then(
        () => true,
        () => false,
      );
      return hasDevice ? await orEmpty(readFile(`${folder}/${name}/address`, "utf8")) : "";
    }),
  );
  return addresses.filter(isAddress);
}

function addressesInUse(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  return [...new Set(all.map(({ mac }) => mac))].filter(isAddress);
}

/** Not what emulators give each machine that was not given another. */
function isAddress(address: string): boolean {
  return /[1-9a-f]/i.test(address) && !/^(?:52:54:00:12:34:5|aa:fc:00:00:00:)/i.test(address);
}

/** In ticks since the machine started: the 22nd field, behind a name that may hold anything. */
async function startOf(pid: number): Promise<string> {
  const stat = await orEmpty(readFile(`/proc/${pid}/stat`, "utf8"));
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

async function orEmpty(reading: Promise<string>): Promise<string> {
  return (await reading.catch(() => "")).trim();
}
