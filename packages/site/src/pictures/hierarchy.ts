import { arrow, box, label, type Picture } from "./svg.js";

/** A key hierarchy. */
export const HIERARCHY: Picture = {
  name: "hierarchy",
  title: "A key hierarchy",
  description:
    "A generator, a KMS key, makes the data key of an object and wraps it. Two children, the public RSA keys of an escrow and of a partner, wrap the same data key. The generator's wrap goes into the object's metadata; each child's into a file or an annotation beside it. The data key encrypts the content. Whoever holds one of the three keys opens the object.",
  height: 404,
  shapes: [
    label("~generator~", 20, 30),
    label("~child~", 164, 30),
    label("~child~", 308, 30),
    box("secret", [20, 38, 116, 52], "*KMS key*", "`alias/app`"),
    box("secret", [162, 38, 116, 52], "*RSA key*", "of the escrow"),
    box("secret", [304, 38, 116, 52], "*RSA key*", "of the partner"),
    arrow([78, 90], [78, 138]),
    arrow([220, 90], [220, 138]),
    arrow([362, 90], [362, 138]),
    label("~wraps the data key~", 86, 118),
    label("~wraps it, too~", 228, 118),
    box("wrap", [20, 140, 116, 46], "wrapped", "data key"),
    box("wrap", [162, 140, 116, 46], "wrapped", "data key"),
    box("wrap", [304, 140, 116, 46], "wrapped", "data key"),
    arrow([78, 186], [78, 238]),
    arrow([220, 186], [220, 238]),
    arrow([362, 186], [362, 238]),
    label("~stored in~", 86, 218),
    box("plain", [20, 240, 116, 46], "the object's", "metadata"),
    box("open", [162, 240, 116, 46], "`<key>.escrow`", "or annotated"),
    box("open", [304, 240, 116, 46], "`<key>.partner`", "or annotated"),
    box("cipher", [20, 290, 116, 46], "the content,", "encrypted"),
    label("~the object~", 20, 356),
    label("~beside it, after the object~", 162, 308),
    label("*One of the three keys is enough to open it.*", 20, 386),
  ],
};
