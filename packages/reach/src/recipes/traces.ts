import type { Recipe } from "../recipe.js";

const PACKAGES = { "@aws-sdk/client-kms": "3", "@s3ec/keyring-kms": "*" };

const X_RAY = `import { KMSClient } from "@aws-sdk/client-kms";
import { S3EncryptionClient } from "@s3ec/client";
import { KmsKeyring } from "@s3ec/keyring-kms";
import AWSXRay from "aws-xray-sdk-core";

const kms = AWSXRay.captureAWSv3Client(new KMSClient({}));
const keyring = new KmsKeyring({ keyId: "alias/app", client: kms });
export const s3 = AWSXRay.captureAWSv3Client(new S3EncryptionClient({ encryption: { keyring } }));
`;

const OPEN_TELEMETRY_2 = `import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { AwsInstrumentation } from "@opentelemetry/instrumentation-aws-sdk";
import { ConsoleSpanExporter, NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";

const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new ConsoleSpanExporter())] });
provider.register();
registerInstrumentations({ instrumentations: [new AwsInstrumentation()] });
`;

/** Release 3, which has one package for every platform, and no \`register\`. */
const OPEN_TELEMETRY_3 = `import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { AwsInstrumentation } from "@opentelemetry/instrumentation-aws-sdk";
import { ConsoleSpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
const spanProcessors = [new SimpleSpanProcessor({ exporter: new ConsoleSpanExporter() })];
trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors }));
registerInstrumentations({ instrumentations: [new AwsInstrumentation()] });
`;

const POWERTOOLS = `import { Logger } from "@aws-lambda-powertools/logger";
import { Tracer } from "@aws-lambda-powertools/tracer";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { KmsKeyring } from "@s3ec/keyring-kms";

const tracer = new Tracer();
const logger = new Logger({ logLevel: "WARN" }); // at INFO the SDK logs every command, with its body
const keyring = new KmsKeyring({ keyId: "alias/app" });
const s3 = tracer.captureAWSv3Client(new S3EncryptionClient({ logger, encryption: { keyring } }));

export async function handler({ Key, text }) {
  const object = { Bucket: process.env.BUCKET, Key };
  await s3.send(new PutObjectCommand({ ...object, Body: text }));
  const { Body } = await s3.send(new GetObjectCommand(object));
  return await Body.transformToString();
}
`;

/** Where the X-Ray SDK sends what it has traced, and what has arrived there. */
const DAEMON = `import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";

const socket = createSocket("udp4");
const segments = [];
socket.on("message", (message) => segments.push(JSON.parse(String(message).split("\\n")[1])));
socket.bind(0, "127.0.0.1");
await once(socket, "listening");
process.env.AWS_XRAY_DAEMON_ADDRESS = \`127.0.0.1:\${socket.address().port}\`;

const flat = (segment) => [segment, ...(segment.subsegments ?? []).flatMap(flat)];

/** Ends once all of these operations have been traced, by their services and in this order. */
export async function traced(...operations) {
  const wanted = operations.join(", ");
  for (let tries = 0; ; tries += 1) {
    const calls = segments.flatMap(flat).filter(({ aws }) => aws?.operation !== undefined);
    calls.sort((one, other) => one.start_time - other.start_time);
    const seen = calls.map(({ name, aws }) => \`\${name}.\${aws.operation}\`).join(", ");
    if (seen === wanted) break;
    if (tries === 50) throw new Error(\`Traced was \${seen}, not \${wanted}.\`);
    await setTimeout(100);
  }
  const text = JSON.stringify(segments);
  if (text.includes("for their eyes only")) throw new Error("The content was traced.");
  socket.close();
}
`;

const PUT_AND_GET = `import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";

export async function saveAndRead(s3) {
  const object = { Bucket: process.env.BUCKET, Key: "traced" };
  await s3.send(new PutObjectCommand({ ...object, Body: "for their eyes only" }));
  const { Body } = await s3.send(new GetObjectCommand(object));
  if ((await Body.transformToString()) !== "for their eyes only") throw new Error("Another text came back.");
}
`;

const MAIN_X_RAY = `import { traced } from "./daemon.mjs";
import { saveAndRead } from "./save-and-read.mjs";

const { default: AWSXRay } = await import("aws-xray-sdk-core");
const { s3 } = await import("./s3.mjs");
await AWSXRay.getNamespace().runPromise(async () => {
  const segment = new AWSXRay.Segment("reports");
  AWSXRay.setSegment(segment);
  await saveAndRead(s3);
  segment.close();
});
await traced("KMS.GenerateDataKey", "S3.PutObject", "S3.GetObject", "KMS.Decrypt");
s3.destroy();
`;

/** Which spans there are, each behind that which it is below. */
const MAIN_OPEN_TELEMETRY = `import { execFileSync } from "node:child_process";

const said = execFileSync("node", ["--import", "./tracing.mjs", "app.mjs"], { encoding: "utf8" });
const spans = said.split(/^\\}$/m).map((text) => ({
  name: /^  name: '(.+)',$/m.exec(text)?.[1],
  id: /^  id: '(.+)',$/m.exec(text)?.[1],
  parent: /^  parentSpanContext: \\{[^}]*spanId: '(.+?)'/m.exec(text)?.[1],
}));
const path = ({ name, parent }) => {
  const above = spans.find(({ id }) => id !== undefined && id === parent);
  return above === undefined ? name : \`\${path(above)}/\${name}\`;
};
const paths = spans.filter(({ name }) => name !== undefined).map(path).sort();
const wanted = [
  "S3.GetObject",
  "S3.GetObject/s3ec.open",
  "S3.GetObject/s3ec.open/s3ec.unwrap",
  "S3.GetObject/s3ec.open/s3ec.unwrap/KMS.Decrypt",
  "S3.GetObject/s3ec.verify",
  "S3.PutObject",
  "S3.PutObject/s3ec.wrap",
  "S3.PutObject/s3ec.wrap/KMS.GenerateDataKey",
];
if (paths.join() !== wanted.join()) throw new Error(\`The spans were \${paths}, not \${wanted}.\\n\${said}\`);
if (said.includes("for their eyes only")) throw new Error(\`The content was traced.\\n\${said}\`);
console.log(said);
`;

const APP = `import { trace } from "@opentelemetry/api";
import { S3EncryptionClient } from "@s3ec/client";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { saveAndRead } from "./save-and-read.mjs";

const tracer = trace.getTracer("app");
const s3 = new S3EncryptionClient({ encryption: { keyring: new KmsKeyring({ keyId: "alias/app" }), tracer } });
await saveAndRead(s3);
`;

/** As Lambda runs a handler that is traced; and what the SDK logs at INFO. */
const LAMBDA = `import { traced } from "./daemon.mjs";

Object.assign(process.env, {
  AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x",
  AWS_LAMBDA_FUNCTION_NAME: "reports",
  LAMBDA_TASK_ROOT: process.cwd(),
  _X_AMZN_TRACE_ID: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=1",
});
const { handler } = await import("./handler.mjs");
let said = "";
for (const stream of [process.stdout, process.stderr]) {
  stream.write = (text) => {
    said += text;
    return true;
  };
}
const text = await handler({ Key: "handled", text: "for their eyes only" });
if (text !== "for their eyes only") throw new Error("Another text came back.");
await traced("S3.PutObject", "S3.GetObject");

const { Logger } = await import("@aws-lambda-powertools/logger");
const { S3EncryptionClient } = await import("@s3ec/client");
const { RawAesKeyring } = await import("@s3ec/keyring-raw-aes");
const { saveAndRead } = await import("./save-and-read.mjs");
const keyring = new RawAesKeyring({ wrappingKey: new Uint8Array(32).fill(7) });
const s3 = new S3EncryptionClient({ logger: new Logger({ logLevel: "INFO" }), encryption: { keyring } });
await saveAndRead(s3);
for (const name of ["PutObjectCommand", "GetObjectCommand"]) {
  if (!said.includes(name)) throw new Error(\`\${name} was not logged: \${said}\`);
}
const bytes = JSON.stringify(Buffer.from("for their eyes only")).replace(/^.*\\[|\\].*$/g, "");
if (said.includes("for their eyes only") || said.includes(bytes)) throw new Error(\`The content was logged: \${said}\`);
s3.destroy();
`;

/** @param packages those of OpenTelemetry that belong to one release of its SDK */
function openTelemetry({
  tracing,
  packages,
  ...names
}: Pick<Recipe, "name" | "loadedBy" | "packages"> & { readonly tracing: string }): Recipe {
  return {
    ...names,
    runtime: "Node 24",
    manager: "npm",
    modules: "ES modules",
    packages: { ...PACKAGES, ...packages },
    files: {
      "tracing.mjs": tracing,
      "app.mjs": APP,
      "save-and-read.mjs": PUT_AND_GET,
      "main.mjs": MAIN_OPEN_TELEMETRY,
    },
    steps: [["node", "main.mjs"]],
  };
}

/** What traces and logs the commands of clients. */
export const TRACES: readonly Recipe[] = [
  {
    name: "x-ray",
    runtime: "Node 20",
    manager: "npm",
    modules: "ES modules",
    loadedBy: "import, with AWS X-Ray {aws-xray-sdk-core}",
    packages: { ...PACKAGES, "aws-xray-sdk-core": "3" },
    files: { "s3.mjs": X_RAY, "daemon.mjs": DAEMON, "save-and-read.mjs": PUT_AND_GET, "main.mjs": MAIN_X_RAY },
    steps: [["node", "main.mjs"]],
  },
  openTelemetry({
    name: "opentelemetry",
    loadedBy: "import, with OpenTelemetry 2 and its instrumentation-aws-sdk {@opentelemetry/instrumentation-aws-sdk}",
    packages: {
      "@opentelemetry/api": "~1.9",
      "@opentelemetry/instrumentation": "~0.223",
      "@opentelemetry/instrumentation-aws-sdk": "~0.78",
      "@opentelemetry/sdk-trace-node": "2",
    },
    tracing: OPEN_TELEMETRY_2,
  }),
  openTelemetry({
    name: "opentelemetry-3",
    loadedBy: "import, with OpenTelemetry 3 and its instrumentation-aws-sdk {@opentelemetry/instrumentation-aws-sdk}",
    packages: {
      "@opentelemetry/api": "~1.10",
      "@opentelemetry/context-async-hooks": "3",
      "@opentelemetry/instrumentation": ">=0.301 <1",
      "@opentelemetry/instrumentation-aws-sdk": ">=0.79 <1",
      "@opentelemetry/sdk-trace": "3",
    },
    tracing: OPEN_TELEMETRY_3,
  }),
  {
    name: "powertools",
    runtime: "Node 22",
    manager: "npm",
    modules: "ES modules",
    loadedBy: "import, with Powertools for AWS Lambda {@aws-lambda-powertools/tracer}",
    packages: { ...PACKAGES, "@aws-lambda-powertools/logger": "2", "@aws-lambda-powertools/tracer": "2" },
    files: { "handler.mjs": POWERTOOLS, "daemon.mjs": DAEMON, "save-and-read.mjs": PUT_AND_GET, "main.mjs": LAMBDA },
    steps: [["node", "main.mjs"]],
  },
];
