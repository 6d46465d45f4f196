import type { Recipe } from "../recipe.js";

const PACKAGES = { "@aws-sdk/client-kms": "3", "@s3ec/keyring-kms": "*" };

const ROUTE = `import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { KmsKeyring } from "@s3ec/keyring-kms";

const s3 = new S3EncryptionClient({ encryption: { keyring: new KmsKeyring({ keyId: "alias/app" }) } });

export async function PUT(request, { params }) {
  const { name } = await params;
  await s3.send(new PutObjectCommand({ Bucket: process.env.BUCKET, Key: name, Body: request.body }));
  return new Response(null, { status: 204 });
}

export async function GET(_request, { params }) {
  const { name } = await params;
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: process.env.BUCKET, Key: name }));
  return new Response(Body.transformToWebStream());
}
`;

const MODULE = `import { Module } from "@nestjs/common";
import { S3EncryptionClient } from "@s3ec/client";
import { KmsKeyring } from "@s3ec/keyring-kms";

@Module({
  providers: [
    {
      provide: S3EncryptionClient,
      useFactory: () => new S3EncryptionClient({ encryption: { keyring: new KmsKeyring({ keyId: "alias/app" }) } }),
    },
  ],
  exports: [S3EncryptionClient],
})
export class S3Module {}
`;

const CONTROLLER = `import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { Body, Controller, Get, Param, Put } from "@nestjs/common";
import { S3EncryptionClient } from "@s3ec/client";

@Controller("reports")
export class ReportsController {
  constructor(private readonly s3: S3EncryptionClient) {}

  @Put(":name")
  async save(@Param("name") Key: string, @Body() report: object) {
    const object = { Bucket: process.env.BUCKET, Key, Body: JSON.stringify(report) };
    await this.s3.send(new PutObjectCommand(object), { encryptionContext: { tenant: "a" } });
  }

  @Get(":name")
  async read(@Param("name") Key: string) {
    const object = { Bucket: process.env.BUCKET, Key };
    const { Body } = await this.s3.send(new GetObjectCommand(object), { encryptionContext: { tenant: "a" } });
    return JSON.parse((await Body?.transformToString()) ?? "null");
  }
}
`;

const NEST_MAIN = `import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ReportsController } from "./reports.controller";
import { S3Module } from "./s3.module";

@Module({ imports: [S3Module], controllers: [ReportsController] })
class AppModule {}

async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  await app.listen(Number(process.env.PORT), "127.0.0.1");
}
bootstrap();
`;

/** Puts and gets by a server of the framework, which the arguments start; and looks at what is stored. */
const VISIT = `import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout } from "node:timers/promises";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";

const free = createServer().listen(0, "127.0.0.1");
await once(free, "listening");
const { port } = free.address();
free.close();
const [program, ...args] = process.argv.slice(2);
const env = { ...process.env, PORT: String(port) };
const server = spawn(program, args, { env, stdio: "inherit" });
server.once("exit", (code) => process.exit(code ?? 1));

const url = \`http://127.0.0.1:\${port}/reports/2026\`;
const report = JSON.stringify({ text: "for their eyes only".repeat(10_000 / 19) });
const init = { method: "PUT", body: report, headers: { "content-type": "application/json" } };
let put;
for (let tries = 0; put === undefined; tries += 1) {
  put = await fetch(url, init).catch((error) => {
    if (tries === 300) throw error;
  });
  await setTimeout(200);
}
if (!put.ok) throw new Error(\`It was not put: \${put.status} \${await put.text()}\`);
const got = await fetch(url);
const text = await got.text();
if (text !== report) throw new Error(\`Another report came back: \${got.status} \${text.slice(0, 1000)}\`);

const plain = new S3Client({});
const { Body, Metadata } = await plain.send(new GetObjectCommand({ Bucket: process.env.BUCKET, Key: "2026" }));
if (Metadata["x-amz-c"] === undefined) throw new Error("It was not stored in format V3.");
if ((await Body.transformToString("latin1")).includes("their eyes")) throw new Error("It was stored as it is.");
process.exit(0);
`;

function next(recipe: Pick<Recipe, "loadedBy" | "manager" | "name" | "runtime">, ...flags: string[]): Recipe {
  return {
    ...recipe,
    modules: "ES modules",
    packages: { ...PACKAGES, next: "16", react: "19", "react-dom": "19" },
    files: { "app/reports/[name]/route.js": ROUTE, "visit.mjs": VISIT },
    steps: [
      ["next", "build", ...flags],
      ["node", "visit.mjs", "next", "start"],
    ],
  };
}

/** What runs an application's own code in its own way. */
export const FRAMEWORKS: readonly Recipe[] = [
  next({ name: "next", runtime: "Node 24", manager: "npm", loadedBy: "Next.js {next}, a route handler" }),
  next(
    {
      name: "next-webpack",
      runtime: "Node 22",
      manager: "pnpm",
      loadedBy: "Next.js {next}, `--webpack`, a route handler",
    },
    "--webpack",
  ),
  {
    name: "nest",
    runtime: "Node 20",
    manager: "npm",
    modules: "CommonJS",
    loadedBy: "NestJS {@nestjs/core}, `nest build`",
    packages: {
      ...PACKAGES,
      "@nestjs/cli": "12",
      "@nestjs/common": "12",
      "@nestjs/core": "12",
      "@nestjs/platform-express": "12",
      "@types/node": "20",
      "reflect-metadata": "0.2",
      rxjs: "7",
      typescript: "~6.0",
    },
    files: {
      "src/main.ts": NEST_MAIN,
      "src/reports.controller.ts": CONTROLLER,
      "src/s3.module.ts": MODULE,
      "nest-cli.json": JSON.stringify({ collection: "@nestjs/schematics", sourceRoot: "src" }),
      "tsconfig.json": JSON.stringify({
        compilerOptions: {
          module: "nodenext",
          moduleResolution: "nodenext",
          resolvePackageJsonExports: true,
          esModuleInterop: true,
          isolatedModules: true,
          emitDecoratorMetadata: true,
          experimentalDecorators: true,
          target: "ES2023",
          outDir: "./dist",
          rootDir: "./src",
          skipLibCheck: true,
          types: ["node"],
          strictNullChecks: true,
        },
        include: ["src"],
      }),
      "visit.mjs": VISIT,
    },
    steps: [
      ["nest", "build"],
      ["node", "visit.mjs", "node", "dist/main.js"],
    ],
  },
];
