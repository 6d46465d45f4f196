import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import type { Fault } from "@s3ec/dev-server";
import { expect } from "chai";
import { bytesOfLength, Fixture, get, put, TEST_KEYRING } from "./fixture.js";
import { retryingClient } from "./transfers.js";

const LENGTH = 9_000_000;

/** What is in memory: the caller expects it to be sent again, as the plain client does. */
const BODIES: Readonly<Record<string, () => NonNullable<PutObjectCommandInput["Body"]>>> = {
  Buffer: () => bytesOfLength(LENGTH),
  string: () => "é".repeat(LENGTH / 2),
  "view of 16-bit words": () => new Uint16Array(bytesOfLength(LENGTH).buffer) as unknown as Uint8Array,
  ArrayBuffer: () => new Uint8Array(bytesOfLength(LENGTH)).buffer as unknown as Uint8Array,
};

const FAULTS: readonly Fault[] = [{ status: 503 }, { status: 500 }, { cutAfterBytes: 1_000_000 }];

describe("a large body that is in memory", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.faults.clear());

  async function stored(): Promise<Buffer> {
    const { Body } = await fixture.client().send(get("large"));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  for (const [kind, make] of Object.entries(BODIES)) {
    for (const fault of FAULTS) {
      it(`is sent again after ${JSON.stringify(fault)}: ${kind}`, async () => {
        fixture.server.faults.add({ operation: "PutObject", times: 1, ...fault });
        const { $metadata } = await retryingClient(fixture).send(put("large", make()));
        expect($metadata.attempts).to.equal(2);
        expect(await stored()).to.have.length(LENGTH);
      });
    }
  }

  it("is sent again as the ciphertext that was made once, though the caller has changed the buffer meanwhile (S18)", async () => {
    const body = bytesOfLength(LENGTH);
    const sent: Buffer[] = [];
    const client = retryingClient(fixture);
    client.middlewareStack.add(
      (next) => async (args) => {
        const request: unknown = Reflect.get(args, "request");
        sent.push(Buffer.from(Reflect.get(request as object, "body")));
        body.fill(0);
        return next(args);
      },
      { step: "finalizeRequest", priority: "low", name: "eachAttempt" },
    );
    fixture.server.faults.add({ operation: "PutObject", status: 503, times: 1 });
    await client.send(put("large", body));
    expect(sent).to.have.length(2);
    expect(sent[0]?.equals(sent[1] ?? Buffer.alloc(0))).to.equal(true);
    expect((await stored()).equals(bytesOfLength(LENGTH))).to.equal(true);
  });

  it("lets timers run while it is encrypted", async () => {
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    const client = fixture.client();
    client.middlewareStack.add(
      (next) => async (args) => {
        isOver = true;
        return next(args);
      },
      { step: "build", name: "encrypted" },
    );
    setImmediate(count);
    await client.send(put("large", Buffer.alloc(100_000_000)));
    expect(turns).to.be.greaterThan(5);
  });

  describe("in a bucket of another region", () => {
    let elsewhere: Server;
    before((done) => {
      elsewhere = createServer((request, response) => {
        request.resume();
        response.writeHead(301, { "x-amz-bucket-region": fixture.server.region });
        response.end("<Error><Code>PermanentRedirect</Code></Error>");
      }).listen(0, "127.0.0.1", done);
    });
    after(() => {
      elsewhere.closeAllConnections();
      elsewhere.close();
    });

    it("follows the redirect", async () => {
      const { port } = elsewhere.address() as AddressInfo;
      const isHome = (region: unknown): boolean => region === fixture.server.region;
      const client = fixture.track(
        new S3EncryptionClient({
          credentials: fixture.server.credentials,
          region: "eu-south-2",
          followRegionRedirects: true,
          endpointProvider: ({ Region, Bucket }) => ({
            url: new URL(`${isHome(Region) ? fixture.server.endpoint : `http://127.0.0.1:${port}`}/${Bucket}`),
            headers: {},
            properties: {
              authSchemes: [
                {
                  name: "sigv4",
                  signingName: "s3",
                  signingRegion: Region ?? "",
                  disableDoubleEncoding: true,
                  properties: {},
                },
              ],
            },
          }),
          encryption: { keyring: TEST_KEYRING },
        }),
      );
      await client.send(put("large", bytesOfLength(LENGTH)));
      expect((await stored()).equals(bytesOfLength(LENGTH))).to.equal(true);
    });
  });
});
