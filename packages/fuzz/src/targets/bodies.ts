import { decryptContent } from "@s3ec/envelope";
import { inPieces } from "../chunks.js";
import { knownObjects } from "../known-objects.js";
import { mutateBytes } from "../mutate.js";
import { ALLOW_ALL, openStored } from "../read-object.js";
import { assertRight, refusalOf, type Target } from "../target.js";

const objects = knownObjects();

/** Bodies that are damaged under an intact envelope. */
export const bodies: Target = {
  name: "bodies",
  async try(random) {
    const object = random.pick(objects);
    const body = random.oneIn(8)
      ? Buffer.from(object.body)
      : mutateBytes(random, object.body, random.pick(objects).body);
    const { content } = await openStored(object, ALLOW_ALL, object.file !== undefined);
    let plaintext: Buffer;
    try {
      plaintext = Buffer.concat(await decryptContent(content, inPieces(random, body)));
    } catch (error) {
      assertRight(!body.equals(object.body), `${object.id} is refused although it is intact`);
      return refusalOf(error);
    }
    const right = plaintext.equals(object.plaintext);
    assertRight(right || (content.suite.cipher === "cbc" && !body.equals(object.body)), `${object.id}: other bytes`);
    return right ? "opened" : "opened: unauthenticated";
  },
};
