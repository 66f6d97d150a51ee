import { decimal, digest } from './fields.js';
import type { Kind } from './kinds.js';
import { isRecord } from './parse.js';
import { entryRefused } from './rule-error.js';

/** Members in which people write. */
const freeTexts = ['reference', 'justification', 'provenance', 'conditions', 'reason', 'intendedUse'];
/** Members whose value is a decimal string: elsewhere many digits are the number of somebody. */
const decimals = [
  ...[
    'epsilonCap',
    'delta',
    'clip',
    'sigma',
    'samplingRate',
    'before',
    'after',
    'epsilon',
    'loss',
    'accuracy',
  ],
];
/** Strings whose form a schema fixes, outside free texts; they hold no words of a person. */
const structural = [
  /^run_[0-9a-f]{32}$/,
  /^[0-9a-f]{64}$/,
  /^[A-Za-z0-9+/]{86}==$/,
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  /^[^\s+]+\+[0-9a-f]{8}(\+[A-Za-z0-9+/]+={0,2})?$/,
  /^DUO:\d{7}(=[A-Za-z0-9][A-Za-z0-9._:-]*)?$/,
];

/** What looks like a person or a sample in a text. */
const identifiers: readonly [RegExp, string][] = [
  [/[^\s@]+@[^\s@]+\.[a-z]{2,}/i, 'an e-mail address'],
  [/\bTCGA-[A-Z0-9]{2}-[A-Z0-9]{4}/i, 'a sample barcode'],
  [/(?<!\d)(\d{1,2}[./]\d{1,2}[./](19|20)\d\d|(19|20)\d\d-\d\d-\d\d)(?!\d)/, 'a date'],
  // but the number of a study in a public register
  [/(?<!\d)((?<!NCT)(?<!DRKS)(?<!ISRCTN)\d{7,}|\d{9,})/, 'a long number'],
  [/(\+|\b00)\d[\d ()/-]{7,}\d/, 'a telephone number'],
];

/** Kind and body of an entry, signed or not. */
interface Said {
  readonly kind: Kind;
  readonly body: unknown;
}

/** A text of an entry that looks like a person, a sample or a secret. */
export interface Identifier {
  /** member of the body, at any depth */
  readonly member: string;
  /** e.g. `an e-mail address` */
  readonly found: string;
}

/** The first text of a body that row D1 finds fault with; undefined when there is none. */
export function identifierIn({ kind, body }: Said): Identifier | undefined {
  for (const [text, member] of textsOf(body, '')) {
    // a proof against a dealer is no text: row S2 reads it to its last byte
    if (kind === 'round.reopen' && member === 'proof') continue;
    const found = identifiers.find(([pattern]) => pattern.test(text))?.[1] ?? denseIn(text);
    if (found !== undefined) return { member, found };
  }
  return undefined;
}

/**
 * Refuse to write down what looks like a person: every hospital keeps the log, and nothing can be taken out of it again.
 *
 * @throws E_LOG_ENTRY (D1) that names the member and never its text
 */
export function refuseIdentifiers(said: Said): void {
  const found = identifierIn(said);
  if (found === undefined) return;
  const what = `${said.kind}: ${found.member} holds ${found.found}`;
  throw entryRefused('D1', `${what}; nothing can be taken out of the log again: write it without`);
}

/** The texts in a value that are no fixed form, each with its member; a list is about what its member is. */
function textsOf(value: unknown, member: string): (readonly [text: string, member: string])[] {
  if (typeof value === 'string') return isForm(value, member) ? [] : [[value, member]];
  if (Array.isArray(value)) return value.flatMap((inner) => textsOf(inner, member));
  return isRecord(value) ? Object.entries(value).flatMap(([name, inner]) => textsOf(inner, name)) : [];
}

function isForm(text: string, member: string): boolean {
  if (digest.safeParse(text).success) return true;
  if (freeTexts.includes(member)) return false;
  return (
    structural.some((pattern) => pattern.test(text)) ||
    (decimals.includes(member) && decimal.safeParse(text).success)
  );
}

/** A word of 32 characters or more with over four bits a character: a key, not a word. */
function denseIn(text: string): string | undefined {
  const words = text.split(/[\s/:+.-]+/).map((word) => [...word]);
  const isDense = words.some((word) => word.length >= 32 && bitsPerCharacter(word) > 4);
  return isDense ? 'a random-looking word' : undefined;
}

function bitsPerCharacter(word: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const character of word) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, n) => sum - (n / word.length) * Math.log2(n / word.length), 0);
}
