/** Of what comes along with a package: whoever may use ours may use these. */
const ALLOWED = new Set(["Apache-2.0", "MIT", "MIT-0", "ISC", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Unlicense"]);

/** Of a bill of materials in CycloneDX, what is asked for. */
export interface Component {
  readonly name: string;
  readonly version: string;
  readonly licenses?: readonly { readonly license?: { readonly id?: string }; readonly expression?: string }[];
}

/** Components under terms that are not among those allowed, as sentences. */
export function licenceMistakes(components: readonly Component[]): readonly string[] {
  return components
    .filter(({ licenses = [] }) => !licenses.some(({ license, expression }) => isAllowed(license?.id ?? expression)))
    .map(
      ({ name, version, licenses }) =>
        `${name}@${version} is under ${JSON.stringify(licenses ?? "no licence")}: look at it.`,
    );
}

/** Of `(A OR B)` one suffices. */
function isAllowed(expression: string | undefined): boolean {
  const alternatives = (expression ?? "").replace(/^\(|\)$/g, "").split(" OR ");
  return alternatives.some((id) => ALLOWED.has(id));
}
