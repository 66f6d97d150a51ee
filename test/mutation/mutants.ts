import ts from 'typescript';

/** One small change of a source text that a test must notice. */
export interface Mutant {
  /** 1-based line of the change */
  readonly line: number;
  /** what was changed, e.g. `< → <=` */
  readonly change: string;
  /** the whole changed source */
  readonly source: string;
}

/** What a mutant is called that leaves a check out, whole or for one of its reasons. */
export const CHECK = 'check left out';

/** Name of a local function that throws. */
const REFUSE = 'refuse';

/** Calls that only throw or return nothing. */
const checks = /^(this\.)?(verify\w*|check\w*|expect|boxBefore|ringBoundsHold)$|^(r|reader)\.end$/;

/** Operators and what each becomes. */
const operators: Readonly<Record<string, string>> = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '===': '!==',
  '!==': '===',
  '&&': '||',
  '||': '&&',
  '+': '-',
  '-': '+',
};

/**
 * Every mutant of a source: a check that never throws, or not for one of its reasons, a condition the other way round, a comparison, logical or
 * arithmetic operator exchanged, a call without result left out.
 */
export function mutantsOf(source: string): Mutant[] {
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.ES2022, true);
  const found: Mutant[] = [];
  const change = (node: ts.Node, to: string, name: string): void => {
    const [start, end] = [node.getStart(file), node.getEnd()];
    const { line } = file.getLineAndCharacterOfPosition(start);
    found.push({ line: line + 1, change: name, source: source.slice(0, start) + to + source.slice(end) });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isIfStatement(node)) {
      const condition = node.expression.getText(file);
      if (refuses(node.thenStatement)) {
        change(node.expression, 'false', CHECK);
        for (const part of alternativesOf(node.expression))
          change(part, 'false', `${CHECK} in part: ${part.getText(file)}`);
      } else change(node.expression, `!(${condition})`, 'condition negated');
    }
    if (ts.isBinaryExpression(node) && !joinsTexts(node)) {
      const operator = node.operatorToken.getText(file);
      const other = operators[operator];
      if (other !== undefined) change(node.operatorToken, other, `${operator} → ${other}`);
    }
    if (ts.isExpressionStatement(node) && ts.isCallExpression(node.expression)) {
      const called = node.expression.expression.getText(file);
      // what refuses stands below its condition, which is a check of its own
      if (called !== REFUSE)
        change(node, '{}', `${checks.test(called) ? CHECK : 'call left out'}: ${called}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** Whether a branch throws, calls what always throws, or returns false: alone or at the end of its block. */
function refuses(branch: ts.Statement): boolean {
  const last = ts.isBlock(branch) ? branch.statements.at(-1) : branch;
  if (last === undefined) return false;
  if (ts.isThrowStatement(last)) return true;
  if (ts.isReturnStatement(last)) return last.expression?.kind === ts.SyntaxKind.FalseKeyword;
  const call = ts.isExpressionStatement(last) ? last.expression : undefined;
  return call !== undefined && ts.isCallExpression(call) && call.expression.getText() === REFUSE;
}

/** `a`, `b` and `c` of `a || b || c`; nothing for a condition of one part. */
function alternativesOf(condition: ts.Expression): ts.Expression[] {
  if (!ts.isBinaryExpression(condition) || condition.operatorToken.kind !== ts.SyntaxKind.BarBarToken)
    return [];
  return [condition.left, condition.right].flatMap((side) => {
    const parts = alternativesOf(side);
    return parts.length > 0 ? parts : [side];
  });
}

/** Whether texts are joined: `-` there is no number, and words of messages are no behaviour. */
const joinsTexts = ({ operatorToken, left, right }: ts.BinaryExpression): boolean =>
  operatorToken.kind === ts.SyntaxKind.PlusToken &&
  [left, right].some((side) => ts.isStringLiteralLike(side) || ts.isTemplateExpression(side));
