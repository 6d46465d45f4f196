import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Application, Converter, KindRouter, type Reflection, RendererEvent } from "typedoc";
import { PACKAGES, SECTIONS } from "./guides.js";
import { linkContents } from "./linked-contents.js";
import { adjustMarkdown } from "./markdown.js";
import { linkSources } from "./source-links.js";

const CATEGORIES = new Map(SECTIONS.flatMap(({ title, files }) => files.map((file) => [file, title] as const)));

/**
 * Makes the site of this version by `typedoc.json`, in a folder of its own beside those of others; returns the folder.
 *
 * @param root of the repository
 * @throws Error where TypeDoc warns of something
 */
export async function buildSite(root: string): Promise<string> {
  const version: string = JSON.parse(readFileSync(join(root, "lerna.json"), "utf8")).version;
  const app = await Application.bootstrapWithPlugins({
    options: join(root, "typedoc.json"),
    projectDocuments: [...CATEGORIES.keys()].map((file) => join(root, file)),
    defaultCategory: PACKAGES,
    categoryOrder: [...SECTIONS.map(({ title }) => title), PACKAGES],
  });
  app.options.setValue("markdownItLoader", adjustMarkdown);
  app.options.setValue("out", join(app.options.getValue("out"), version));
  // Of every package's files, and where their source is.
  app.options.setValue("packageOptions", { ...app.options.getValue("packageOptions"), displayBasePath: root });
  const files = new Map<Reflection, string>();
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
    const file = relative(root, document.project.files.getReflectionPath(document) ?? "");
    files.set(document, file);
    document.name = titleOf(document.content.map(({ text }) => text).join(""));
    document.frontmatter.category = CATEGORIES.get(file) ?? "";
  });
  app.renderer.defineRouter(
    "guides-by-file",
    class extends KindRouter {
      protected override getIdealBaseName(reflection: Reflection): string {
        const file = files.get(reflection);
        return file === undefined
          ? super.getIdealBaseName(reflection)
          : file.replace(/^docs\//, "guides/").replace(/\.md$/, "");
      }
    },
  );
  app.renderer.on(RendererEvent.BEGIN, ({ project }) => {
    linkContents(project, root);
    linkSources(project);
  });
  const project = await app.convert();
  if (project !== undefined) {
    project.packageVersion = version;
    app.validate(project);
    await app.generateOutputs(project);
  }
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error("TypeDoc found what is said above.");
  return app.options.getValue("out");
}

function titleOf(markdown: string): string {
  const title = /^# (.+)$/m.exec(markdown)?.[1];
  if (title === undefined) throw new Error(`A guide has no title: ${markdown.slice(0, 40)}`);
  return title;
}
