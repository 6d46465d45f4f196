/** As many of the items as asked for, in their order: the same ones for the same seed, whatever else is in the list. */
export declare function sample<T>(items: readonly T[], nameOf: (item: T) => string, seed: string, max: number): T[];
