/** A picture of the guides: SVG with its colours for light and dark, text as text, and a title and description to be read out. */
export interface Picture {
  /** Of its file, without `.svg`. */
  readonly name: string;
  readonly title: string;
  /** All that can be seen, in words. */
  readonly description: string;
  readonly height: number;
  readonly shapes: readonly string[];
}

/** Width of every picture: its text can still be read where a phone shows it smaller. */
export const WIDTH = 440;

/** What a box stands for, which decides its colour; `open` is drawn as an outline. */
export type Kind = "secret" | "wrap" | "proof" | "cipher" | "plain" | "open";

const STYLE = `
    text { font: 14px system-ui, -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif; fill: #1f2328; }
    .strong { font-weight: 600; }
    .small { font-size: 12.5px; fill: #57606a; }
    .code { font: 12.5px ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
    rect { stroke: #57606a; stroke-width: 1; }
    .paper { fill: #ffffff; stroke: none; }
    .secret { fill: #ffd8b5; } .wrap { fill: #ffefc2; } .proof { fill: #c6edcf; } .cipher { fill: #d3e3fa; } .plain { fill: #eaeef2; }
    .open { fill: none; stroke-dasharray: 4 3; }
    .line { stroke: #57606a; stroke-width: 1.5; fill: none; } .head { fill: #57606a; stroke: none; }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f3f6; }
      .small { fill: #b7bdc8; }
      rect { stroke: #9198a1; }
      .paper { fill: #161b22; }
      .secret { fill: #7a4419; } .wrap { fill: #5e4a12; } .proof { fill: #1b5230; } .cipher { fill: #1f406e; } .plain { fill: #30363d; }
      .open { fill: none; }
      .line { stroke: #9198a1; } .head { fill: #9198a1; }
    }`;

/** The file's text. */
export function svg({ name, title, description, height, shapes }: Picture): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="${name}-title ${name}-desc">
  <title id="${name}-title">${escaped(title)}</title>
  <desc id="${name}-desc">${escaped(description)}</desc>
  <style>${STYLE}
  </style>
  <rect class="paper" width="${WIDTH}" height="${height}" rx="8"/>
${shapes.map((shape) => `  ${shape}`).join("\n")}
</svg>
`;
}

/** Of `text`, each line is one. */
export function box(
  kind: Kind,
  [x, y, width, height]: readonly [number, number, number, number],
  ...text: string[]
): string {
  const top = y + height / 2 - (text.length - 1) * 9 + 5;
  const lines = text.map((line, index) => label(line, x + width / 2, top + index * 18, { middle: true }));
  return [`<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="4"/>`, ...lines].join(
    "\n  ",
  );
}

/** `*strong*`, `~small~` and `` `code` `` where all of the text is. */
export function label(
  text: string,
  x: number,
  y: number,
  { middle = false }: { readonly middle?: boolean } = {},
): string {
  const [, mark = "", inner = text] = /^([*~`])(.*)\1$/.exec(text) ?? [];
  const style = { "*": ' class="strong"', "~": ' class="small"', "`": ' class="code"' }[mark] ?? "";
  return `<text${style} x="${x}" y="${y}"${middle ? ' text-anchor="middle"' : ""}>${escaped(inner)}</text>`;
}

/** From one point over others to the last, which it points at. */
export function arrow(...points: readonly (readonly [number, number])[]): string {
  const [x = 0, y = 0] = points.at(-1) ?? [];
  const [fromX = 0, fromY = 0] = points.at(-2) ?? [];
  const angle = (Math.atan2(y - fromY, x - fromX) * 180) / Math.PI;
  const line = points.map((point) => point.join(" ")).join(" L ");
  return `<path class="line" d="M ${line}"/><path class="head" transform="translate(${x} ${y}) rotate(${angle})" d="M 1 0 L -8 -4.5 L -8 4.5 Z"/>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
