import { readFileSync } from "node:fs";
import { refused } from "@s3ec/test-support";
import { expect } from "chai";
import {
  annotationName,
  annotationText,
  describingAnew,
  MOVING_ANNOTATION,
  recipientOfAnnotation,
  WRITER,
} from "../dist/annotation.js";
import { AES_GCM, RSA_OAEP_SHA1 } from "../dist/wrap-algorithms.js";
import { writeEnvelope } from "../dist/write-envelope.js";
import { COMMITMENT, GCM_IV, MESSAGE_ID } from "./known-answers.js";

const own = { wrapAlgorithm: AES_GCM, ciphertext: Buffer.alloc(60, 1), description: {} };
const child = { ...own, wrapAlgorithm: RSA_OAEP_SHA1, instructionFileSuffix: ".escrow", wrappingKey: "arn:x" };
const V3 = { format: "V3", messageId: MESSAGE_ID, commitment: COMMITMENT } as const;

describe("annotations", () => {
  it("are named after the recipient, whose suffix counts without its dot", () => {
    for (const name of [".escrow", "escrow"]) expect(annotationName(name)).to.equal("x-s3ec/escrow");
    expect(annotationName("é".repeat(200))).to.have.lengthOf(207);
    expect(recipientOfAnnotation("x-s3ec/escrow")).to.equal("escrow");
    expect(recipientOfAnnotation("x-s3ec/escrow/1")).to.equal("escrow");
    for (const other of [MOVING_ANNOTATION, "x-s3ec/", "x-s3ec", "y"]) {
      expect(recipientOfAnnotation(other)).to.equal(undefined);
    }
    for (const name of ["", ".", "a/b", "a\n", "moving", ".moving", "x".repeat(469), "\ud800"]) {
      refused("invalid-argument", () => annotationName(name));
    }
  });

  it("say what an audit asks for, in ASCII without a space", () => {
    const added = new Date("2026-11-28T20:00:00.5Z");
    const text = annotationText({ "x-amz-3": "AA==" }, { format: "V3", wrap: "é x", kmsKey: "arn:k", added });
    expect(text).to.match(/^[\x21-\x7e]+$/);
    expect(JSON.parse(text)).to.deep.equal({
      "x-amz-3": "AA==",
      "s3ec-format": "V3",
      "s3ec-wrap": "é x",
      "s3ec-kms-key": "arn:k",
      "s3ec-added": "2026-11-28T20:00:00Z",
      "s3ec-by": WRITER,
    });
  });

  it("describe an object anew with the recipients that were named, of a text that is ours", () => {
    const text = '{"s3ec-format":"V3","s3ec-wrap":"AES/GCM"}';
    const standing = '{"s3ec-format":"V2","s3ec-wrap":"kms","s3ec-recipients":"[\\"escrow\\"]"}';
    expect(JSON.parse(describingAnew(text, standing))).to.deep.equal({
      "s3ec-format": "V3",
      "s3ec-wrap": "AES/GCM",
      "s3ec-recipients": '["escrow"]',
    });
    for (const none of ["", "{", "[]", '{"s3ec-format":"V2"}', '{"s3ec-recipients":1}']) {
      expect(describingAnew(text, none)).to.equal(text);
    }
  });

  it("name this package's version", () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    expect(WRITER).to.equal(`s3ec/${version}`);
  });

  it("hold every wrapped key that names a place, and what V2 says of its content", () => {
    const options = { useInstructionFile: false, wrapPlacement: "annotations" } as const;
    const committed = writeEnvelope({ ...options, header: V3, encryptedDataKeys: [own, child] });
    expect(committed.instructionFiles).to.deep.equal([]);
    expect(committed.metadata).to.include.keys("x-amz-3", "x-amz-d");
    expect(committed.annotations?.map(({ name }) => name)).to.deep.equal(["x-s3ec/escrow"]);
    expect(JSON.parse(committed.annotations?.[0]?.text ?? "")).to.include({ "x-amz-w": "22", "s3ec-kms-key": "arn:x" });
    const header = { format: "V2", iv: GCM_IV } as const;
    const keys = { header, encryptedDataKeys: [own, child], allowUncommittedChildren: true };
    const { annotations } = writeEnvelope({ ...options, ...keys });
    expect(JSON.parse(annotations?.[0]?.text ?? "")).to.include.keys("x-amz-iv", "x-amz-cek-alg", "x-amz-key-v2");
    const another = { ...child, instructionFileSuffix: ".partner" };
    const both = writeEnvelope({ ...options, header: V3, encryptedDataKeys: [own, child, another] });
    expect(both.annotations?.map(({ name }) => name)).to.deep.equal(["x-s3ec/escrow", "x-s3ec/partner"]);
    expect(both.mark).to.equal(both.metadata["x-amz-i"]);
    const twice = { ...child, instructionFileSuffix: "escrow" };
    refused("invalid-configuration", () =>
      writeEnvelope({ ...options, header: V3, encryptedDataKeys: [own, child, twice] }),
    );
    refused("invalid-configuration", () =>
      writeEnvelope({ ...options, header: V3, encryptedDataKeys: [own, child], useInstructionFile: true }),
    );
  });
});
