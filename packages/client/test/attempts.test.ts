import { ClientRequest } from "node:http";
import { expect } from "chai";
import { Attempts } from "../dist/write/attempts.js";

/** An answer as the SDK's request handler gives it. */
function answerTo(request: object): unknown {
  return { body: { req: Object.assign(Object.create(ClientRequest.prototype), request) } };
}

describe("what became of the attempts at a request", () => {
  it("is certain where all were refused", () => {
    const attempts = new Attempts();
    attempts.answered(answerTo({}));
    attempts.failed(412);
    expect(attempts).to.include({ wereRefused: true, mayStillLand: false });
  });

  it("is not where one was lost, or answered with an error of the server", () => {
    for (const status of [undefined, 200, 500]) {
      const attempts = new Attempts();
      attempts.failed(status);
      attempts.failed(412);
      expect(attempts).to.include({ wereRefused: false, mayStillLand: status !== 500 });
    }
  });

  it("is not where the runtime has sent one twice by itself, as Deno does: what is refused then is the second", () => {
    const attempts = new Attempts();
    attempts.answered(answerTo({ _retrying: true }));
    attempts.failed(412);
    expect(attempts).to.include({ wereRefused: false, mayStillLand: true });
  });
});
