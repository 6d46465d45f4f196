/** A line of what the reporter writes. */
export type Heard =
  | { readonly state: "passed" | "skipped"; readonly title: string }
  | { readonly state: "failed"; readonly file: string; readonly title: string; readonly why: string }
  | { readonly state: "ended" };
