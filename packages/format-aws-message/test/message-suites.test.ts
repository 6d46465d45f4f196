import { COMMITTED, COMMITTED_SIGNED, MESSAGE_SUITES } from "@s3ec/format-aws-message";
import { assert } from "chai";

describe("message suites", () => {
  it("commit, sign and derive as their ids say", () => {
    assert.deepEqual(
      MESSAGE_SUITES.map(({ id, keyLength, headerVersion, signature }) => [
        id,
        keyLength,
        headerVersion,
        signature?.curve,
      ]),
      [
        [0x0478, 32, 2, undefined],
        [0x0578, 32, 2, "P-384"],
        [0x0014, 16, 1, undefined],
        [0x0046, 24, 1, undefined],
        [0x0078, 32, 1, undefined],
        [0x0114, 16, 1, undefined],
        [0x0146, 24, 1, undefined],
        [0x0178, 32, 1, undefined],
        [0x0214, 16, 1, "P-256"],
        [0x0346, 24, 1, "P-384"],
        [0x0378, 32, 1, "P-384"],
      ],
    );
  });

  it("are written with key commitment only", () => {
    assert.isTrue(COMMITTED.committing && COMMITTED_SIGNED.committing);
    assert.lengthOf(
      MESSAGE_SUITES.filter((suite) => suite.committing),
      2,
    );
  });
});
