import { createHash } from "node:crypto";
/** As many of the items as asked for, in their order: the same ones for the same seed, whatever else is in the list. */
export function sample(items, nameOf, seed, max) {
    if (items.length <= max)
        return [...items];
    const drawn = items
        .map((item, index) => ({
        item,
        index,
        lot: createHash("sha256")
            .update(`${seed}\n${nameOf(item)}`)
            .digest("hex"),
    }))
        .sort((a, b) => (a.lot < b.lot ? -1 : 1))
        .slice(0, max);
    return drawn.sort((a, b) => a.index - b.index).map(({ item }) => item);
}
