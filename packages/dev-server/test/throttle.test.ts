import { Socket } from "node:net";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { Faults } from "../dist/faults/faults.js";
import { Bucket, bytesOf, pattern, startFixture } from "./fixture.js";

describe("a throttled connection", () => {
  it("owes time for every byte, whichever request they belong to, and no other connection does", () => {
    const faults = new Faults();
    const [one, other] = [new Socket(), new Socket()];
    expect(faults.delayOf(one, 500, 1000, 10_000)).to.equal(500);
    expect(faults.delayOf(one, 1000, 1000, 10_100)).to.equal(1400);
    expect(faults.delayOf(other, 100, 1000, 10_100)).to.equal(100);
    expect(faults.delayOf(one, 100, 1000, 20_000)).to.equal(80);
  });

  it("makes up for a timer that woke late, and for no more", () => {
    const faults = new Faults();
    const socket = new Socket();
    expect(faults.delayOf(socket, 10, 1000, 0)).to.equal(10);
    expect(faults.delayOf(socket, 10, 1000, 15)).to.equal(5);
    expect(faults.delayOf(socket, 10, 1000, 35)).to.equal(0);
    expect(faults.delayOf(socket, 10, 1000, 35)).to.equal(5);
    expect(faults.delayOf(socket, 30, 1000, 1000)).to.equal(10);
  });

  it("passes bodies unchanged in both directions, and never faster than the rate", async () => {
    await using fixture = await startFixture();
    const body = pattern(400_000);
    fixture.server.faults.add({ throttleBytesPerSecond: 2_000_000 });
    const started = performance.now();
    await fixture.s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: body }));
    const { Body } = await fixture.s3.send(new GetObjectCommand({ Bucket, Key: "k" }));
    expect((await bytesOf(Body)).equals(body)).to.equal(true);
    // Both bodies together owe 0.4 s, less what each may make up for.
    expect(performance.now() - started).to.be.above(350);
  });
});
