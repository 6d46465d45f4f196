import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { S3EncryptionError } from "@s3ec/materials";
import { expect } from "chai";
import { fuzz } from "../dist/fuzz.js";
import type { Random } from "../dist/random.js";
import { refusalOf, type Target } from "../dist/target.js";
import { TARGETS } from "../dist/targets.js";

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** Fails for one input in about ten, and says which random number it was. */
const brittle: Target = {
  name: "brittle",
  try: async (random) => {
    const number = random.below(1000);
    if (number < 100) throw new TypeError(`brittle ${number}`);
    return "fine";
  },
};

describe("the readers", () => {
  for (const target of TARGETS) {
    it(`give the right plaintext or a typed refusal: ${target.name}`, async () => {
      const { findings, outcomes } = await fuzz({ seed: "npm test", targets: [target], count: 400 });
      expect(findings).to.deep.equal([]);
      // Inputs that are all refused, or all read, would try nothing.
      const seen = [...(outcomes.get(target.name)?.keys() ?? [])].map((outcome) => outcome.split(":")[0]);
      expect(new Set(seen).size).to.be.greaterThan(1);
    });
  }
});

describe("fuzz", () => {
  it("makes the same inputs for the same seed, and others for another", async () => {
    const inputsOf = async (seed: string): Promise<Buffer[]> => {
      const inputs: Buffer[] = [];
      const recorder: Target = {
        name: "recorder",
        try: async (random: Random) => {
          inputs.push(random.bytes(8));
          return "recorded";
        },
      };
      await fuzz({ seed, targets: [recorder], count: 50 });
      return inputs;
    };
    const inputs = await inputsOf("a");
    expect(new Set(inputs.map((input) => input.toString("hex"))).size).to.equal(50);
    expect(await inputsOf("a")).to.deep.equal(inputs);
    expect(await inputsOf("b")).to.not.deep.equal(inputs);
  });

  it("finds whatever is thrown, and finds it again by its number", async () => {
    const { findings, outcomes, tried } = await fuzz({ seed: "a", targets: [brittle], count: 100 });
    expect(findings).to.not.be.empty;
    expect(outcomes.get("brittle")?.get("fine")).to.equal(tried - findings.length);
    for (const { number, error } of findings) {
      const again = await fuzz({ seed: "a", targets: [brittle], from: number, count: 1 });
      expect(String(again.findings[0]?.error)).to.equal(String(error));
    }
  });

  it("stops after twenty findings", async () => {
    const broken: Target = { name: "broken", try: () => Promise.reject(new RangeError("broken")) };
    const { findings, tried } = await fuzz({ seed: "a", targets: [broken], count: 1000 });
    expect([findings.length, tried]).to.deep.equal([20, 20]);
  });

  it("tries nothing new once its time is over", async () => {
    const { tried } = await fuzz({ seed: "a", targets: TARGETS, milliseconds: -1 });
    expect(tried).to.equal(0);
  });

  it("finds what does not come to an end", async () => {
    const endless: Target = { name: "endless", try: () => new Promise(() => {}) };
    const { findings } = await fuzz({ seed: "a", targets: [endless], count: 1, mostPerInput: 1 });
    expect(findings).to.have.length(1);
  });

  it("takes typed refusals as they are, and nothing else", () => {
    expect(refusalOf(new S3EncryptionError("malformed-envelope", "no"))).to.equal("refused: malformed-envelope");
    expect(() => refusalOf(new TypeError("no"))).to.throw(TypeError);
  });
});

describe("npm run fuzz", () => {
  it("prints its seed, what became of the inputs, and how many there were", async () => {
    const { stdout } = await run(process.execPath, [MAIN, "--seed", "7", "--target", "header-text", "--number", "3"]);
    expect(stdout).to.match(/^seed 7\nheader-text: (left alone|decoded) 1\n1 inputs, 0 findings\n$/);
  });

  for (const args of [
    ["--target", "nothing"],
    ["--seconds", "soon"],
    ["--number", "1.5"],
  ]) {
    it(`tells how it is used when it is given ${args.join(" ")}`, async () => {
      const error: unknown = await run(process.execPath, [MAIN, ...args]).catch((reason: unknown) => reason);
      expect(error).to.include({ code: 2, stdout: "" });
      expect(error)
        .to.have.property("stderr")
        .that.matches(/Targets: envelopes, bodies, ranges, header-text, messages, keys/);
    });
  }
});
