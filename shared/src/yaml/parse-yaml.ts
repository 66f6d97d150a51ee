import {
  type Document,
  type ErrorCode as YamlErrorCode,
  isNode,
  isScalar,
  Lexer,
  LineCounter,
  parseDocument,
  Parser,
  visit,
} from 'yaml';
import { type ErrorCode, RegulonError } from '../errors/index.js';

/** Largest plan, policy or configuration file, in bytes. */
export const MAX_YAML_BYTES = 1 << 20;

/** Lists and mappings that may lie in one another; a plan has fewer than ten. */
const MAX_DEPTH = 64;

/** Complaints of the reader that people understand better in other words. */
const WORDS: Partial<Record<YamlErrorCode, string>> = {
  MULTIPLE_DOCS: 'begins a second document',
  TAB_AS_INDENT: 'is indented by a tab',
};

/**
 * Read one YAML (or JSON) document, strictly: UTF-8, at most {@link MAX_YAML_BYTES}, every key once, no anchors, no
 * tag or version that the reader does not understand.
 *
 * @param what named in errors: the file and its kind
 * @param code of the error that is thrown
 * @returns plain values, not checked against any schema
 * @throws `code`, naming `what`, the line and the rule, never a value
 */
export function parseYaml(bytes: Uint8Array, what: string, code: ErrorCode): unknown {
  const refuse = (rule: string, hint?: string): RegulonError =>
    new RegulonError(code, `${what}: ${rule}`, hint === undefined ? {} : { hint });
  const text = textOf(bytes, refuse);
  // before the tree is built: that recurses, and an engine whose stack ends inside a regular expression ends the process
  if (isDeep(text)) throw refuse('nested too deeply');
  const lines = new LineCounter();
  let document: Document;
  try {
    // unique keys are checked below: the reader's own check takes time quadratic in their number
    document = parseDocument(text, { logLevel: 'error', uniqueKeys: false, lineCounter: lines });
  } catch {
    throw refuse('nested too deeply');
  }
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) {
    const line = problem.linePos?.[0].line ?? 1;
    throw refuse(`line ${line} ${WORDS[problem.code] ?? `is not YAML (${problem.code})`}`);
  }
  const bad = badKey(document);
  if (bad) throw refuse(`line ${lines.linePos(bad.offset).line} ${bad.rule}`);
  try {
    return document.toJS({ maxAliasCount: 0 }) as unknown;
  } catch {
    throw refuse('anchors and aliases (& and *) are not read', 'write the repeated part out');
  }
}

function textOf(bytes: Uint8Array, refuse: (rule: string) => RegulonError): string {
  if (bytes.length > MAX_YAML_BYTES) throw refuse('larger than 1 MiB');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse('not a text in UTF-8');
  }
  if (text.trim() === '') throw refuse('is empty');
  return text;
}

/** Whether collections are nested deeper than {@link MAX_DEPTH}; the parser keeps those that are open on a stack. */
function isDeep(text: string): boolean {
  const parser = new Parser();
  const collections = new Set(['block-map', 'block-seq', 'flow-collection']);
  for (const lexeme of new Lexer().lex(text)) {
    for (const _ of parser.next(lexeme)) continue;
    if (parser.stack.length <= MAX_DEPTH) continue;
    if (parser.stack.filter(({ type }) => collections.has(type)).length > MAX_DEPTH) return true;
  }
  return false;
}

/** The first key that its mapping already has, or that is no scalar. */
function badKey(document: Document): { offset: number; rule: string } | undefined {
  let found: { offset: number; rule: string } | undefined;
  visit(document, {
    Map: (_, map) => {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        const offset = (isNode(key) ? key.range?.[0] : undefined) ?? 0;
        if (!isScalar(key)) found = { offset, rule: 'has a key that is a list or a mapping' };
        // as in the object that it becomes, where 1 and "1" are one key
        else if (seen.has(String(key.value))) found = { offset, rule: 'repeats a key' };
        else seen.add(String(key.value));
        if (found) return visit.BREAK;
      }
      return undefined;
    },
  });
  return found;
}
