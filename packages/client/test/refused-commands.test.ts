import * as sdk from "@aws-sdk/client-s3";
import { encryptS3 } from "@s3ec/client";
import { NormalizedSchema } from "@smithy/core/schema";
import { expect } from "chai";
import { BUCKET, Fixture, put, refusal, TEST_KEYRING } from "./fixture.js";

const params = { Bucket: BUCKET, Key: "k", Body: "secret" };

/** Those of the installed SDK that send bytes of the caller's, by what their schemas say. */
function commandsWithBytes(): [name: string, command: sdk.PutObjectCommand][] {
  return Object.entries(sdk).flatMap(([name, Command]) => {
    if (!name.endsWith("Command") || typeof Command !== "function" || name.startsWith("$")) return [];
    const command: sdk.PutObjectCommand = Reflect.construct(Command, [params]);
    const input: Parameters<typeof NormalizedSchema.of>[0] = Reflect.get(Reflect.get(command, "schema") ?? [], 4);
    const members = [...NormalizedSchema.of(input).structIterator()];
    return members.some(([, member]) => member.isStreaming() || member.isBlobSchema()) ? [[name, command]] : [];
  });
}

describe("a command that would store bytes", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());

  it("is one that the test finds", () => {
    expect(commandsWithBytes().map(([name]) => name)).to.include.members(["PutObjectCommand", "UploadPartCommand"]);
  });

  for (const [name, command] of commandsWithBytes()) {
    if (name === "PutObjectCommand") continue;
    it(`and does not encrypt them is refused: ${name}`, async () => {
      expect((await refusal(fixture.client().send(command))).code).to.equal("unsupported-operation");
      expect(fixture.server.requests).to.deep.equal([]);
    });
  }

  it("is refused where it does not say its name", async () => {
    const client = encryptS3(fixture.track(new sdk.S3Client(fixture.server.clientConfig)), { keyring: TEST_KEYRING });
    const command = put("nameless");
    const resolve = command.resolveMiddlewareWithContext;
    const nameless = Object.assign(command, {
      resolveMiddlewareWithContext(stack: unknown, config: unknown, options: unknown, details: object): unknown {
        return Reflect.apply(resolve, this, [stack, config, options, { ...details, commandName: undefined }]);
      },
    });
    const { code, message } = await refusal(Reflect.apply(client.send, client, [nameless]));
    expect([code, message.includes("does not say its name")]).to.deep.equal(["unsupported-operation", true]);
  });
});
