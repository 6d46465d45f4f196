import { S3Error } from "./s3-error.js";

/** One element of a document that was read; attributes are not kept. */
export interface XmlElement {
  readonly name: string;
  readonly children: XmlElement[];
  text: string;
}

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const token =
  /<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!\[CDATA\[(?<data>[\s\S]*?)\]\]>|<(?<close>\/?)(?<name>[^\s/<>!?]+)[^<>]*?(?<empty>\/?)>|(?<text>[^<]+)|</g;

/** One element holding text, which is escaped; nothing at all when there is no value. */
export function leaf(name: string, value: string | number | boolean | undefined): string {
  return value === undefined ? "" : `<${name}>${escapeText(String(value))}</${name}>`;
}

/** One element holding markup that is already XML. */
export function element(name: string, ...content: readonly string[]): string {
  return `<${name}>${content.join("")}</${name}>`;
}

/** A whole document in the namespace of S3. */
export function xmlDocument(root: string, ...content: readonly string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${namespace}">${content.join("")}</${root}>`;
}

/** Reads the small documents that S3 clients send. Document types are refused, so nothing can expand. */
export function parseXml(source: string, rootName: string): XmlElement {
  const top: XmlElement = { name: "", children: [], text: "" };
  const open = [top];
  for (const { 0: raw, groups = {} } of source.matchAll(token)) {
    const parent = open.at(-1);
    if (parent === undefined || raw === "<") throw malformed();
    if (groups.text !== undefined) parent.text += unescapeText(groups.text);
    else if (groups.data !== undefined) parent.text += groups.data;
    else if (groups.close === "/") {
      if (open.length === 1 || parent.name !== groups.name) throw malformed();
      open.pop();
    } else if (groups.name !== undefined) {
      const child: XmlElement = { name: groups.name, children: [], text: "" };
      parent.children.push(child);
      if (groups.empty !== "/") open.push(child);
    }
  }
  const root = top.children[0];
  if (open.length !== 1 || top.children.length !== 1 || root?.name !== rootName) throw malformed();
  return root;
}

/** The text of the first child of this name. */
export function childText(parent: XmlElement, name: string): string | undefined {
  return parent.children.find((child) => child.name === name)?.text;
}

/** What S3 says to XML that it cannot use. */
export function malformed(): S3Error {
  return new S3Error(
    "MalformedXML",
    "The XML you provided was not well-formed or did not validate against our schema.",
  );
}

function escapeText(text: string): string {
  // Control characters are not XML 1.0, yet S3 sends keys that hold them as character references.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are the characters meant
  return text.replace(/[&<>"\u0000-\u001f]/g, (character) => {
    const name = Object.keys(named).find((candidate) => named[candidate] === character);
    return name === undefined ? `&#x${character.charCodeAt(0).toString(16)};` : `&${name};`;
  });
}

function unescapeText(text: string): string {
  return text.replace(/&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([a-z]+));|&/g, (_, hex, decimal, name) => {
    if (name !== undefined) return named[name] ?? fail();
    const code = hex !== undefined ? Number.parseInt(hex, 16) : Number(decimal ?? Number.NaN);
    return code <= 0x10ffff ? String.fromCodePoint(code) : fail();
  });
}

function fail(): never {
  throw malformed();
}
