import { Readable } from "node:stream";
import type { GetObjectCommandOutput, ListObjectAnnotationsCommand } from "@aws-sdk/client-s3";
import { readAtMost } from "@s3ec/envelope";
import { answeredBody } from "../read/answered-body.js";
import { destroyStream, isNodeStream } from "../streams.js";

/** What is longer than the answer that was asked for, such as an object in its place. */
export class TooLongAnswer extends Error {}

/**
 * Reads no more of a command's answer than so many bytes: the SDK takes all of it into memory, and a store that does not know
 * `?annotation` answers with the object.
 */
export function answerAtMost(
  stack: Pick<ListObjectAnnotationsCommand["middlewareStack"], "add">,
  length: number,
): void {
  stack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { response } = result;
      if (typeof response !== "object" || response === null) return result;
      const answered: unknown = Reflect.get(response, "body");
      const body = answeredBody({ Body: answered as NonNullable<GetObjectCommandOutput["Body"]> });
      const bytes = await readAtMost(body, length + 1);
      destroyStream(body);
      if (bytes.length > length) throw new TooLongAnswer(`An answer of more than ${length} bytes is none of a list.`);
      Reflect.set(
        response,
        "body",
        isNodeStream(answered) ? Readable.from([bytes]) : new Blob([bytes.slice()]).stream(),
      );
      return result;
    },
    // Before what reads the answer.
    { step: "deserialize", priority: "low", name: "s3EncryptionShortAnswer", override: true },
  );
}
