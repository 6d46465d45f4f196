import type { S3Client } from "@aws-sdk/client-s3";
import { plainClientOf } from "@s3ec/client";
import type { ObjectParameters } from "./object-parameters.js";

/** A client that does not encrypt, with this in all its requests: of which the SDK sends what an operation has. */
export function readingClient(client: S3Client, parameters: ObjectParameters["get"]): S3Client {
  const plain = plainClientOf(client);
  plain.middlewareStack.add((next) => (args) => next({ ...args, input: { ...parameters, ...args.input } }), {
    step: "initialize",
    // Before what hashes a customer's key.
    priority: "high",
    name: "s3ecObjectParameters",
  });
  return plain;
}
