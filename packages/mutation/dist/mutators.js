import ts from "typescript";
/** Each operator, and what it is mistaken for. */
const SWAPPED = new Map([
    [ts.SyntaxKind.LessThanToken, "<="],
    [ts.SyntaxKind.LessThanEqualsToken, "<"],
    [ts.SyntaxKind.GreaterThanToken, ">="],
    [ts.SyntaxKind.GreaterThanEqualsToken, ">"],
    [ts.SyntaxKind.EqualsEqualsEqualsToken, "!=="],
    [ts.SyntaxKind.ExclamationEqualsEqualsToken, "==="],
    [ts.SyntaxKind.AmpersandAmpersandToken, "||"],
    [ts.SyntaxKind.BarBarToken, "&&"],
    [ts.SyntaxKind.PlusToken, "-"],
    [ts.SyntaxKind.MinusToken, "+"],
    [ts.SyntaxKind.AsteriskToken, "/"],
    [ts.SyntaxKind.SlashToken, "*"],
    [ts.SyntaxKind.PercentToken, "*"],
    [ts.SyntaxKind.AmpersandToken, "|"],
    [ts.SyntaxKind.BarToken, "&"],
    [ts.SyntaxKind.CaretToken, "|"],
    [ts.SyntaxKind.LessThanLessThanToken, ">>>"],
    [ts.SyntaxKind.GreaterThanGreaterThanToken, "<<"],
    [ts.SyntaxKind.GreaterThanGreaterThanGreaterThanToken, "<<"],
    [ts.SyntaxKind.PlusEqualsToken, "-="],
    [ts.SyntaxKind.MinusEqualsToken, "+="],
    [ts.SyntaxKind.BarEqualsToken, "&="],
    [ts.SyntaxKind.QuestionQuestionEqualsToken, "="],
]);
/** Calls that give nearly what they were called on, which is what is put in their place. */
const PASSING_ON = new Set(["filter", "sort", "slice", "subarray", "trim", "toLowerCase", "reverse"]);
/** What may be put in place of a node, by what it is; nothing for a node that is of no interest. */
export function* replacements(node) {
    yield* ofCondition(node);
    if (ts.isBinaryExpression(node))
        yield* ofBinary(node);
    else if (ts.isPrefixUnaryExpression(node))
        yield* ofPrefix(node);
    else if (ts.isPostfixUnaryExpression(node))
        yield* ofStep(node, node.operand, node.operator);
    else if (node.kind === ts.SyntaxKind.TrueKeyword)
        yield { node, text: "false" };
    else if (node.kind === ts.SyntaxKind.FalseKeyword)
        yield { node, text: "true" };
    else if (ts.isNumericLiteral(node))
        yield { node, text: `(${node.getText()} + 1)` };
    else if (ts.isStringLiteral(node) && decides(node))
        yield { node, text: node.text === "" ? '"?"' : '""' };
    else if (ts.isCallExpression(node))
        yield* ofCall(node);
    else if (ts.isArrowFunction(node) && !ts.isBlock(node.body))
        yield { node: node.body, text: "undefined" };
    else
        yield* ofStatement(node);
}
/** Branches that are always, or never, taken. A loop is only ever not entered: one without end tells nothing. */
function* ofCondition(node) {
    if (ts.isIfStatement(node) || ts.isConditionalExpression(node)) {
        const condition = ts.isIfStatement(node) ? node.expression : node.condition;
        if (isBoolean(condition))
            return;
        yield { node: condition, text: "true" };
        yield { node: condition, text: "false" };
    }
    if (ts.isWhileStatement(node) && !isBoolean(node.expression))
        yield { node: node.expression, text: "false" };
    if (ts.isForStatement(node) && node.condition !== undefined)
        yield { node: node.condition, text: "false" };
}
function* ofBinary(node) {
    const { left, right, operatorToken } = node;
    if (operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken) {
        yield { node, text: left.getText() };
        yield { node, text: right.getText() };
        return;
    }
    const swapped = SWAPPED.get(operatorToken.kind);
    if (swapped === undefined || isText(left) || isText(right))
        return;
    if (isLogical(operatorToken.kind)) {
        // Each side alone, too: of a guard with several reasons, every reason has to matter.
        yield { node, text: left.getText() };
        yield { node, text: right.getText() };
    }
    yield { node, text: `${left.getText()} ${swapped} ${right.getText()}` };
}
function* ofPrefix(node) {
    if (node.operator === ts.SyntaxKind.ExclamationToken)
        yield { node, text: node.operand.getText() };
    if (node.operator === ts.SyntaxKind.MinusToken)
        yield { node, text: node.operand.getText() };
    yield* ofStep(node, node.operand, node.operator);
}
function* ofStep(node, operand, operator) {
    if (operator === ts.SyntaxKind.PlusPlusToken)
        yield { node, text: `${operand.getText()}--` };
    if (operator === ts.SyntaxKind.MinusMinusToken)
        yield { node, text: `${operand.getText()}++` };
}
function* ofCall(node) {
    const { expression } = node;
    if (ts.isPropertyAccessExpression(expression) && PASSING_ON.has(expression.name.text)) {
        yield { node, text: expression.expression.getText() };
    }
}
function* ofStatement(node) {
    if (ts.isThrowStatement(node) || ts.isBreakOrContinueStatement(node))
        yield { node, text: ";" };
    if (ts.isExpressionStatement(node) && isEffect(node.expression))
        yield { node, text: ";" };
    if (ts.isReturnStatement(node)) {
        const { expression } = node;
        if (expression === undefined)
            yield { node, text: ";" };
        else if (!isBoolean(expression) && expression.getText() !== "undefined")
            yield { node, text: "return undefined;" };
    }
}
function isEffect(expression) {
    if (ts.isAwaitExpression(expression))
        return isEffect(expression.expression);
    if (ts.isBinaryExpression(expression)) {
        const { kind } = expression.operatorToken;
        return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
    }
    // Without super() there is no object at all.
    return ts.isCallExpression(expression) && expression.expression.kind !== ts.SyntaxKind.SuperKeyword;
}
/** Whether a text is compared with something, or looked for, rather than shown. */
function decides(node) {
    const { parent } = node;
    if (ts.isBinaryExpression(parent))
        return parent.operatorToken.kind !== ts.SyntaxKind.PlusToken;
    if (ts.isCaseClause(parent) || ts.isArrayLiteralExpression(parent))
        return true;
    if (!ts.isCallExpression(parent) || !ts.isPropertyAccessExpression(parent.expression))
        return false;
    return ["startsWith", "endsWith", "includes", "has", "get", "split", "join"].includes(parent.expression.name.text);
}
function isLogical(kind) {
    return kind === ts.SyntaxKind.AmpersandAmpersandToken || kind === ts.SyntaxKind.BarBarToken;
}
function isText(node) {
    return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
}
function isBoolean(node) {
    return node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword;
}
