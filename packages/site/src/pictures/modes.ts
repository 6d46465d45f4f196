import { arrow, box, label, type Picture } from "./svg.js";

const LEFT = 16;

/** A bar of ciphertext with its tag, and below it what is given out, from `from` on. */
function mode(y: number, title: string, option: string, from: number, says: readonly [string, string]): string[] {
  return [
    label(`*${title}*`, LEFT, y),
    label(`\`${option}\``, LEFT, y + 20),
    box("cipher", [LEFT, y + 32, 250, 28], "ciphertext arrives"),
    box("proof", [LEFT + 250, y + 32, 44, 28], "tag"),
    arrow([LEFT + from + 14, y + 60], [LEFT + from + 14, y + 82]),
    box("secret", [LEFT + from, y + 84, from === 0 ? 294 : 118, 28], "plaintext"),
    label(`~${says[0]}~`, LEFT, y + 132),
    label(`~${says[1]}~`, LEFT, y + 150),
  ];
}

/** What each way to read proves, and when. */
export const MODES: Picture = {
  name: "modes",
  title: "What each way to read proves, and when",
  description:
    "Verified first, the default: plaintext is given out after the tag at the end was found right, so all of it is whole and proven. Delayed: plaintext is given out as the ciphertext arrives; a wrong tag ends the stream with an error, and what was read before is unproven until then. A range of V2 or V3 has no tag, and nothing is proven. A range of a message consists of whole frames, each proven by its own tag.",
  height: 716,
  shapes: [
    ...mode(30, "Verified first", "the default", 276, [
      "All of it is proven before you have a byte. It is held in",
      "memory, or as ciphertext in a file, until then.",
    ]),
    ...mode(214, "Delayed", "enableDelayedAuthenticationMode: true", 0, [
      "Nothing is proven before the stream ends, and it ends with",
      "an error where the tag is wrong: act on nothing before.",
    ]),
    label("*A range of V2 or V3*", LEFT, 398),
    label("`enableLegacyUnauthenticatedModes: true`", LEFT, 418),
    box("open", [LEFT, 430, 90, 28], "~not fetched~"),
    box("cipher", [LEFT + 90, 430, 120, 28], "your range"),
    box("open", [LEFT + 210, 430, 84, 28], "~nor its tag~"),
    arrow([LEFT + 102, 458], [LEFT + 102, 480]),
    box("secret", [LEFT + 90, 482, 120, 28], "plaintext"),
    label("~Nothing is proven: whoever may write to the bucket can~", LEFT, 530),
    label("~change single bits of what you read.~", LEFT, 548),
    label("*A range of a message*", LEFT, 584),
    label("`formats: [new S3Format(), new AwsMessageFormat()]`", LEFT, 604),
    box("open", [LEFT, 616, 90, 28], "~not fetched~"),
    box("cipher", [LEFT + 90, 616, 78, 28], "frame"),
    box("proof", [LEFT + 168, 616, 42, 28], "tag"),
    box("cipher", [LEFT + 214, 616, 78, 28], "frame"),
    box("proof", [LEFT + 292, 616, 42, 28], "tag"),
    arrow([LEFT + 226, 644], [LEFT + 226, 660]),
    box("secret", [LEFT + 90, 662, 244, 28], "plaintext: each frame is proven"),
  ],
};
