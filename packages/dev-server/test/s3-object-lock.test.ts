import {
  CreateBucketCommand,
  DeleteObjectAnnotationCommand,
  DeleteObjectCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  type ObjectLockRetentionMode,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { type Fixture, refusal, startFixture, Bucket as unlocked } from "./fixture.js";

const Bucket = "locked";
const Key = "k";
const denied = "AccessDenied 403";
const NOW = Math.floor(Date.now() / 1000) * 1000;
const inDays = (days: number): Date => new Date(NOW + days * 86_400_000);

describe("object lock", () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await startFixture();
    await fixture.s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  const put = async (more: object = {}): Promise<string | undefined> =>
    (await fixture.s3.send(new PutObjectCommand({ Bucket, Key, Body: "x", ...more }))).VersionId;
  const head = () => fixture.s3.send(new HeadObjectCommand({ Bucket, Key }));
  const remove = (VersionId: string | undefined, more: object = {}) =>
    fixture.s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId, ...more }));
  const retain = (Mode: ObjectLockRetentionMode, RetainUntilDate: Date, more: object = {}) =>
    fixture.s3.send(new PutObjectRetentionCommand({ Bucket, Key, Retention: { Mode, RetainUntilDate }, ...more }));

  it("keeps versions from being deleted until a date, but not a delete marker from being put above them", async () => {
    const until = inDays(1);
    const VersionId = await put({ ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: until });
    expect(await head()).to.deep.include({ ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: until });
    expect(await refusal(remove(VersionId))).to.equal(denied);
    const { VersionId: marker } = await remove(undefined);
    await remove(marker);
    await remove(VersionId, { BypassGovernanceRetention: true });
    expect(await refusal(head())).to.equal("NotFound 404");
  });

  it("of mode COMPLIANCE is passed by nobody, and only made longer", async () => {
    const VersionId = await put();
    const none = fixture.s3.send(new GetObjectRetentionCommand({ Bucket, Key }));
    expect(await refusal(none)).to.equal("NoSuchObjectLockConfiguration 404");
    await retain("COMPLIANCE", inDays(2));
    const bypass = { BypassGovernanceRetention: true };
    expect(await refusal(remove(VersionId, bypass))).to.equal(denied);
    expect(await refusal(retain("COMPLIANCE", inDays(1), bypass))).to.equal(denied);
    expect(await refusal(retain("GOVERNANCE", inDays(3), bypass))).to.equal(denied);
    await retain("COMPLIANCE", inDays(3));
    const { Retention } = await fixture.s3.send(new GetObjectRetentionCommand({ Bucket, Key }));
    expect(Retention).to.deep.equal({ Mode: "COMPLIANCE", RetainUntilDate: inDays(3) });
  });

  it("of mode GOVERNANCE is made shorter by those who may pass it by", async () => {
    await put();
    await retain("GOVERNANCE", inDays(2));
    expect(await refusal(retain("GOVERNANCE", inDays(1)))).to.equal(denied);
    await retain("GOVERNANCE", inDays(1), { BypassGovernanceRetention: true });
    expect((await head()).ObjectLockRetainUntilDate).to.deep.equal(inDays(1));
  });

  it("holds a version for as long as the hold is on", async () => {
    const hold = (Status: "ON" | "OFF") =>
      fixture.s3.send(new PutObjectLegalHoldCommand({ Bucket, Key, LegalHold: { Status } }));
    const VersionId = await put({ ObjectLockLegalHoldStatus: "ON" });
    expect((await head()).ObjectLockLegalHoldStatus).to.equal("ON");
    expect(await refusal(remove(VersionId, { BypassGovernanceRetention: true }))).to.equal(denied);
    const annotation = fixture.s3.send(new DeleteObjectAnnotationCommand({ Bucket, Key, AnnotationName: "a" }));
    expect(await refusal(annotation)).to.equal(denied);
    await hold("OFF");
    const { LegalHold } = await fixture.s3.send(new GetObjectLegalHoldCommand({ Bucket, Key }));
    expect(LegalHold).to.deep.equal({ Status: "OFF" });
    await remove(VersionId);
  });

  it("is given by the bucket to objects whose put does not say it", async () => {
    const configure = (bucket: string) =>
      fixture.s3.send(
        new PutObjectLockConfigurationCommand({
          Bucket: bucket,
          ObjectLockConfiguration: {
            ObjectLockEnabled: "Enabled",
            Rule: { DefaultRetention: { Mode: "GOVERNANCE", Days: 2 } },
          },
        }),
      );
    await configure(Bucket);
    const { ObjectLockConfiguration } = await fixture.s3.send(new GetObjectLockConfigurationCommand({ Bucket }));
    expect(ObjectLockConfiguration?.Rule?.DefaultRetention).to.deep.equal({ Mode: "GOVERNANCE", Days: 2 });
    await put();
    const { ObjectLockMode, ObjectLockRetainUntilDate } = await head();
    expect(ObjectLockMode).to.equal("GOVERNANCE");
    expect(ObjectLockRetainUntilDate?.getTime()).to.be.closeTo(inDays(2).getTime(), 60_000);
    expect(await refusal(configure(unlocked))).to.equal("InvalidBucketState 409");
  });

  it("needs a bucket that has it, and keeps that bucket's versioning on", async () => {
    const outside = { Bucket: unlocked };
    expect(await refusal(put({ ...outside, ObjectLockLegalHoldStatus: "ON" }))).to.equal("InvalidRequest 400");
    await put(outside);
    expect(await refusal(retain("GOVERNANCE", inDays(1), outside))).to.equal("InvalidRequest 400");
    const none = fixture.s3.send(new GetObjectLockConfigurationCommand(outside));
    expect(await refusal(none)).to.equal("ObjectLockConfigurationNotFoundError 404");
    const suspend = new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Suspended" } });
    expect(await refusal(fixture.s3.send(suspend))).to.equal("InvalidBucketState 409");
    for (const half of [
      { ObjectLockMode: "GOVERNANCE" },
      { ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: inDays(-1) },
      { ObjectLockMode: "OTHER", ObjectLockRetainUntilDate: inDays(1) },
    ])
      expect(await refusal(put(half))).to.equal("InvalidArgument 400");
  });
});
