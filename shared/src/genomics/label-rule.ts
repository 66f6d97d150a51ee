import { RegulonError } from '../errors/index.js';
import { type Token, tokensOf } from './label-tokens.js';

/** A cell of the label table; null = missing. */
export type Cell = string | number | null;

/** A parsed rule over the columns of a label table. */
export interface LabelRule {
  readonly text: string;
  /** columns that the rule names */
  readonly columns: readonly string[];
  /** @throws E_LABEL when a cell is missing, or a bare column is not 0/1 */
  evaluate(row: (column: string) => Cell): boolean;
}

type Node = (row: (column: string) => Cell) => boolean;

const MAX_DEPTH = 32;

/**
 * Read a label rule such as `Lum and not is_LumA`, `stage >= 3`, `subtype == 'Basal'`.
 *
 * Grammar: identifiers (or `quoted in backticks`), `not`, `and`, `or` (binding in this order), parentheses,
 * and comparisons `==`, `!=` with a text ('…' or "…") or number, `<`, `<=`, `>`, `>=` with a number. A bare column counts as
 * true at 1 and false at 0. Nothing is executed: the rule becomes nested comparisons.
 *
 * @throws E_LABEL naming the position (from 1) of the first character that does not fit
 */
export function parseLabelRule(text: string): LabelRule {
  const parser = new Parser(text);
  const evaluate = parser.parse();
  return { text, columns: [...parser.columns], evaluate };
}

class Parser {
  readonly columns = new Set<string>();
  private readonly tokens: readonly Token[];
  private at = 0;

  constructor(private readonly text: string) {
    this.tokens = tokensOf(text);
  }

  parse(): Node {
    const node = this.either(0);
    if (this.at < this.tokens.length) throw this.unexpected();
    return node;
  }

  private either(depth: number): Node {
    let left = this.both(depth);
    while (this.accept('word', 'or')) {
      const [a, b] = [left, this.both(depth)];
      left = (row) => a(row) || b(row);
    }
    return left;
  }

  private both(depth: number): Node {
    let left = this.negated(depth);
    while (this.accept('word', 'and')) {
      const [a, b] = [left, this.negated(depth)];
      left = (row) => a(row) && b(row);
    }
    return left;
  }

  private negated(depth: number): Node {
    if (depth > MAX_DEPTH) throw new RegulonError('E_LABEL', `label rule is nested deeper than ${MAX_DEPTH}`);
    if (this.accept('word', 'not')) {
      const inner = this.negated(depth + 1);
      return (row) => !inner(row);
    }
    if (this.accept('symbol', '(')) {
      const inner = this.either(depth + 1);
      if (!this.accept('symbol', ')')) throw this.unexpected();
      return inner;
    }
    return this.comparison();
  }

  private comparison(): Node {
    const token = this.tokens[this.at];
    const isColumn = token?.kind === 'column' || (token?.kind === 'word' && !KEYWORDS.has(token.text));
    if (!token || !isColumn) throw this.unexpected();
    this.at++;
    const column = token.text;
    this.columns.add(column);
    const operator = this.tokens[this.at];
    if (operator?.kind !== 'symbol' || !COMPARE.has(operator.text))
      return (row) => truthOf(column, row(column));
    this.at++;
    const literal = this.tokens[this.at];
    const compare = COMPARE.get(operator.text);
    const ordered = operator.text.startsWith('<') || operator.text.startsWith('>');
    const fits = literal?.kind === 'number' || (literal?.kind === 'text' && !ordered);
    if (!literal || !compare || !fits) throw this.unexpected();
    this.at++;
    const wanted = literal.kind === 'number' ? Number(literal.text) : literal.text;
    return (row) => compare(comparable(column, row(column), wanted), wanted);
  }

  private accept(kind: Token['kind'], text: string): boolean {
    const token = this.tokens[this.at];
    if (token?.kind !== kind || token.text !== text) return false;
    this.at++;
    return true;
  }

  private unexpected(): RegulonError {
    const token = this.tokens[this.at];
    const where = token ? `character ${token.position + 1}` : `its end (character ${this.text.length + 1})`;
    return new RegulonError('E_LABEL', `label rule does not parse at ${where}`);
  }
}

const KEYWORDS = new Set(['and', 'or', 'not']);

const COMPARE = new Map<string, (a: string | number, b: string | number) => boolean>([
  ['==', (a, b) => a === b],
  ['!=', (a, b) => a !== b],
  ['<', (a, b) => a < b],
  ['<=', (a, b) => a <= b],
  ['>', (a, b) => a > b],
  ['>=', (a, b) => a >= b],
]);

function truthOf(column: string, cell: Cell): boolean {
  if (cell === 1 || cell === '1' || cell === 'TRUE' || cell === 'true') return true;
  if (cell === 0 || cell === '0' || cell === 'FALSE' || cell === 'false') return false;
  const rule = cell === null ? 'is missing' : 'is neither 0 nor 1; compare it with a value';
  throw new RegulonError('E_LABEL', `column ${column} ${rule}`);
}

/** The cell in the type of the literal: a code that looks like a number may be compared as text, and only so. */
function comparable(column: string, cell: Cell, literal: string | number): string | number {
  if (cell === null) throw new RegulonError('E_LABEL', `column ${column} is missing`);
  if (typeof literal === 'string') return String(cell);
  if (typeof cell === 'number') return cell;
  throw new RegulonError('E_LABEL', `column ${column} holds text, but is compared with a number`);
}
