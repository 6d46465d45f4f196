/*
 * Decisions about secret bytes as arithmetic on 0 and 1: no branch, no index and no early return depends on them.
 */

/** 1 where `a` equals `b`, else 0; both are integers below 2^31. */
export function equal(a: number, b: number): number {
  const difference = a ^ b;
  return 1 ^ ((difference | -difference) >>> 31);
}

/** 1 where every byte from `start` up to `end` is zero. */
export function allZero(bytes: Uint8Array, start: number, end: number): number {
  let any = 0;
  for (let i = start; i < end; i++) any |= bytes[i] ?? 0;
  return equal(any, 0);
}

/** 1 where no byte from `start` up to `end` is zero. */
export function noneZero(bytes: Uint8Array, start: number, end: number): number {
  let zeros = 0;
  for (let i = start; i < end; i++) zeros |= equal(bytes[i] ?? 0, 0);
  return equal(zeros, 0);
}

/** `a` where `condition` is 1, `b` where it is 0. */
export function select(condition: number, a: number, b: number): number {
  return b ^ (-condition & (a ^ b));
}

/** Overwrites `to` with `from`, of the same length, where `condition` is 1. */
export function copyIf(condition: number, from: Uint8Array, to: Uint8Array): void {
  for (let i = 0; i < to.length; i++) to[i] = select(condition, from[i] ?? 0, to[i] ?? 0);
}

/** The first of `lengths` for which `matches` gives 1, or 0; asks for all of them. */
export function firstLength(lengths: readonly number[], matches: (length: number) => number): number {
  let found = 0;
  for (const length of lengths) found = select(matches(length) & equal(found, 0), length, found);
  return found;
}
