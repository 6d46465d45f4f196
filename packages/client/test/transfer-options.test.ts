import { PassThrough } from "node:stream";
import { pathToFileURL } from "node:url";
import { createContext, runInContext } from "node:vm";
import { EncryptedDownload, EncryptedUpload } from "@s3ec/client";
import { refused } from "@s3ec/test-support";
import { expect } from "chai";
import { BUCKET, Fixture } from "./fixture.js";

const params = { Bucket: BUCKET, Key: "k" };

describe("the options of a transfer", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());

  /** As plain JavaScript may call it. */
  const download = (options: object): unknown => Reflect.construct(EncryptedDownload, [options]);
  const upload = (options: object): unknown => Reflect.construct(EncryptedUpload, [options]);

  const wrong: [what: string, options: object, message: string][] = [
    ["no params", { params: undefined }, "params must name a Bucket"],
    ["no Key", { params: { ...params, Key: undefined } }, "params must name a Key"],
    ["an empty Bucket", { params: { ...params, Bucket: "" } }, "params must name a Bucket"],
    ["no client", { client: undefined }, "as client"],
    ["a client's configuration", { client: { region: "us-east-1" } }, "as client"],
    ["a queueSize of 0", { queueSize: 0 }, "queueSize must be"],
    ["a queueSize that no array has", { queueSize: 2 ** 32 }, "queueSize must be a whole number from 1 to 10000"],
    ["a partSize that no buffer has", { partSize: 2 ** 40 }, "partSize must be a whole number of bytes from"],
    ["a partSize in words", { partSize: "5 MiB" }, "partSize must be"],
    ["an abort signal in place of its controller", { abortController: AbortSignal.abort() }, "abortController must be"],
    ["a context that is a Map", { encryptionContext: new Map() }, "encryptionContext must be a plain object"],
    ["an empty suffix", { instructionFileSuffix: "" }, "instructionFileSuffix must be"],
    ["a misspelt context", { encryptionContex: {} }, "Did you mean encryptionContext?"],
    ["a misspelt queueSize", { queuSize: 1 }, "Did you mean queueSize?"],
  ];
  const ofDownloads: typeof wrong = [
    ["no target", { to: undefined }, "Say where to download to"],
    ["an empty path", { to: "" }, "Say where to download to"],
    ["an address that is no file's", { to: new URL("https://example.com/k") }, "Say where to download to"],
    ["a readable stream", { to: new ReadableStream() }, "Say where to download to"],
    ["a file descriptor", { to: 1 }, "Say where to download to"],
    ["a preference in words", { preferInstructionFile: "false" }, "preferInstructionFile must be"],
    ["an upload's option", { file: "k" }, 'EncryptedDownload knows no option "file". Did you mean to?'],
    ["the address beside params", { Bucket: "b" }, "Did you mean params: { Bucket, Key }?"],
  ];
  const ofUploads: typeof wrong = [
    ["no body", { params }, "Give either a file or params.Body"],
    ["two bodies", { file: "k" }, "Give either a file or params.Body"],
    ["an empty path", { params, file: "" }, "file must be a path"],
    ["an address that is no file's", { params, file: new URL("https://example.com/k") }, "file must be a path"],
    ["a partSize that S3 refuses", { partSize: 1e6 }, "partSize must be a whole number of bytes from 5242880 to"],
    ["tags by name", { tags: { a: "b" } }, "tags must be a list"],
    ["tags without a Key", { tags: [{ key: "a" }] }, "tags must be a list"],
    ["a switch in words", { leavePartsOnError: "false" }, "leavePartsOnError must be"],
    ["another word for the file", { path: "k" }, 'EncryptedUpload knows no option "path". Did you mean file?'],
    ["the signal itself", { abortSignal: AbortSignal.abort() }, "Did you mean abortController?"],
    ["a download's option", { preferInstructionFile: true }, "EncryptedUpload knows no option"],
  ];

  for (const [what, options, message] of [...wrong, ...ofDownloads]) {
    it(`of EncryptedDownload are refused at once: ${what}`, () => {
      const given = { client: fixture.client(), params, to: new PassThrough(), ...options };
      expect(refused("invalid-argument", () => download(given)).message).to.contain(message);
    });
  }
  for (const [what, options, message] of [...wrong, ...ofUploads]) {
    it(`of EncryptedUpload are refused at once: ${what}`, () => {
      const given = { client: fixture.client(), params: { ...params, Body: "x" }, ...options };
      expect(refused("invalid-argument", () => upload(given)).message).to.contain(message);
    });
  }
  for (const nothing of [undefined, null, "k"]) {
    it(`are refused as ${nothing}`, () => {
      refused("invalid-argument", () => Reflect.construct(EncryptedDownload, [nothing]));
      refused("invalid-argument", () => Reflect.construct(EncryptedUpload, [nothing]));
    });
  }

  it("may name a file by a URL, of another realm too", () => {
    const url = pathToFileURL("/tmp/never-made");
    const foreign = runInContext("({ href, protocol: 'file:' })", createContext({ href: url.href }));
    for (const file of [url, foreign]) {
      expect(download({ client: fixture.client(), params, to: file })).to.be.instanceOf(EncryptedDownload);
      expect(upload({ client: fixture.client(), params, file })).to.be.instanceOf(EncryptedUpload);
    }
  });
});
