import ts from "typescript";
/** What is put in place of a node's text. */
export interface Replacement {
    readonly node: ts.Node;
    readonly text: string;
}
/** What may be put in place of a node, by what it is; nothing for a node that is of no interest. */
export declare function replacements(node: ts.Node): Generator<Replacement>;
