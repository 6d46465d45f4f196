import { isError, type MessageFormat } from "@s3ec/materials";
import { z } from "zod";

/** The message format, made while the configuration is validated; its package is loaded only for one that names it. */
export const MESSAGE_FORMAT: z.ZodType<MessageFormat> = z
  .strictObject({
    type: z.literal("aws-message"),
    frameLength: z.int().positive().describe("Plaintext bytes of a frame. Default 65536.").exactOptional(),
    signed: z.boolean().describe("Sign what is written, with ECDSA. Default false.").exactOptional(),
    maxEncryptedDataKeys: z.int().positive().describe("Wrapped keys of a message. Default 10.").exactOptional(),
    maxHeaderLength: z.int().positive().describe("Bytes of a header that is read. Default 131072.").exactOptional(),
    maxFrameLength: z.int().positive().describe("Bytes of a frame that is read. Default 16777216.").exactOptional(),
  })
  .describe("Also read objects that are messages of the AWS Encryption SDK, and write them where asked.")
  .transform(async ({ type: _type, ...options }, context): Promise<MessageFormat> => {
    const { AwsMessageFormat } = await import("@s3ec/format-aws-message");
    try {
      return new AwsMessageFormat(options);
    } catch (error) {
      context.issues.push({ code: "custom", input: null, message: isError(error) ? error.message : "invalid" });
      return z.NEVER;
    }
  });
