import { RegulonError } from '../errors/index.js';

/** A piece of a label rule; `position` counts characters from 0. */
export interface Token {
  readonly kind: 'word' | 'column' | 'text' | 'number' | 'symbol';
  readonly text: string;
  readonly position: number;
}

const MAX_LENGTH = 500;

/** One alternative a kind; sticky, so that every character belongs to exactly one token. */
const PATTERN =
  /\s*(?:([\p{L}_][\p{L}\p{N}_.]*)|`([^`]+)`|'([^']*)'|"([^"]*)"|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(==|!=|<=|>=|<|>|\(|\)))/uy;

/**
 * Split a label rule into tokens.
 *
 * @throws E_LABEL when the rule is empty, longer than 500 characters, or holds a character outside the grammar
 */
export function tokensOf(text: string): Token[] {
  if (text.length > MAX_LENGTH)
    throw new RegulonError('E_LABEL', `label rule is longer than ${MAX_LENGTH} characters`);
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  let at = 0;
  while (at < end) {
    PATTERN.lastIndex = at;
    const match = PATTERN.exec(text);
    if (!match) throw new RegulonError('E_LABEL', `label rule does not parse at character ${at + 1}`);
    tokens.push(tokenOf(match, at));
    at = PATTERN.lastIndex;
  }
  if (tokens.length === 0) throw new RegulonError('E_LABEL', 'label rule is empty');
  return tokens;
}

function tokenOf(match: RegExpExecArray, start: number): Token {
  const [whole, word, column, single, double, number, symbol] = match;
  const text = single ?? double;
  const position = start + whole.length - whole.trimStart().length;
  if (word !== undefined) return { kind: 'word', text: word, position };
  if (column !== undefined) return { kind: 'column', text: column, position };
  if (text !== undefined) return { kind: 'text', text, position };
  if (number !== undefined) return { kind: 'number', text: number, position };
  return { kind: 'symbol', text: symbol ?? '', position };
}
