import { readFileSync } from "node:fs";

/**
 * Bytes of memory that this process has had at most. What `getrusage` says would count what the parent held when it
 * started this one.
 */
export function peakRss(): number {
  const [, peak] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  if (peak === undefined) throw new Error("This system does not say how much memory a process has had.");
  return Number(peak) * 1024;
}
