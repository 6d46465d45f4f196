import { box, label, type Picture } from "./svg.js";

const LEFT = 16;
const FULL = 408;

/** Bars of 26 below each other, from `y` on. */
function metadata(y: number, lines: readonly (readonly ["wrap" | "proof" | "plain", string])[]): string[] {
  return [
    label("~metadata~", LEFT, y + 14),
    ...lines.map(([kind, text], index) => box(kind, [LEFT, y + 20 + index * 26, FULL, 26], text)),
  ];
}

/** What is stored where. */
export const STORED: Picture = {
  name: "stored",
  title: "What is stored where",
  description:
    "In V1 and V2 the object's metadata hold the wrapped data key, the IV and how both are meant; the body is the ciphertext, in V2 with a tag behind it. In V3 they hold the wrapped data key, and the suite, the key commitment and the message id. All of V1's and V2's fields, but only the wrapped key of V3's, may be in a file beside the object instead. A message of the AWS Encryption SDK has nothing in the metadata: its body begins with a header of wrapped keys, commitment and tag, and then has frames, each with a tag.",
  height: 752,
  shapes: [
    label("*V1*", LEFT, 28),
    label("~the oldest; only read~", LEFT + 32, 28),
    ...metadata(34, [
      ["wrap", "wrapped data key"],
      ["plain", "IV, material description"],
    ]),
    label("~body~", LEFT, 122),
    box("cipher", [LEFT, 128, FULL, 28], "AES-CBC ciphertext, no tag"),

    label("*V2*", LEFT, 196),
    label("~the one before; AES-GCM, or AES-CBC without a tag~", LEFT + 32, 196),
    ...metadata(202, [
      ["wrap", "wrapped data key, name of the wrap"],
      ["plain", "cipher, IV, description or context"],
    ]),
    label("~body~", LEFT, 290),
    box("cipher", [LEFT, 296, 340, 28], "AES-GCM ciphertext"),
    box("proof", [LEFT + 340, 296, 68, 28], "tag"),
    label("~or all of the metadata's in <key>.instruction, as in V1~", LEFT, 342),

    label("*V3*", LEFT, 382),
    label("~the default~", LEFT + 32, 382),
    ...metadata(388, [
      ["wrap", "wrapped data key, wrap, description or context"],
      ["proof", "suite, key commitment, message id"],
    ]),
    label("~body~", LEFT, 476),
    box("cipher", [LEFT, 482, 340, 28], "AES-GCM ciphertext"),
    box("proof", [LEFT + 340, 482, 68, 28], "tag"),
    label("~or the wrapped key in <key>.instruction; the rest stays~", LEFT, 528),

    label("*Message*", LEFT, 568),
    label("~of the AWS Encryption SDK; nothing in the metadata~", LEFT + 80, 568),
    label("~body: header~", LEFT, 592),
    box("wrap", [LEFT, 598, FULL, 26], "wrapped data keys, one for each reader"),
    box("plain", [LEFT, 624, FULL, 26], "suite, message id, encryption context"),
    box("proof", [LEFT, 650, FULL, 26], "key commitment, tag of the header"),
    label("~body: frames~", LEFT, 696),
    box("cipher", [LEFT, 702, 88, 28], "frame 1"),
    box("proof", [LEFT + 88, 702, 40, 28], "tag"),
    box("cipher", [LEFT + 132, 702, 88, 28], "frame 2"),
    box("proof", [LEFT + 220, 702, 40, 28], "tag"),
    label("…", LEFT + 272, 721),
    box("cipher", [LEFT + 298, 702, 70, 28], "last"),
    box("proof", [LEFT + 368, 702, 40, 28], "tag"),
  ],
};
