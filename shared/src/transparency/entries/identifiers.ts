import { decimal, digest } from './fields.js';
import type { Kind } from './kinds.js';
import { isRecord } from './parse.js';
import { entryRefused } from './rule-error.js';

/** Members in which people write. */
const freeTexts = ['reference', 'justification', 'conditions', 'reason', 'intendedUse'];
/** Members whose value is a decimal string: elsewhere many digits are the number of somebody. */
const decimals = new Set(
  'epsilonCap delta clip sigma samplingRate before after epsilon loss accuracy'.split(' '),
);
/** Strings whose form a schema fixes, outside free texts; they hold no words of a person. */
const structural = [
  /^run_[0-9a-f]{32}$/,
  /^[0-9a-f]{64}$/,
  /^[A-Za-z0-9+/]{86}==$/,
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  /^[^\s+]+\+[0-9a-f]{8}(\+[A-Za-z0-9+/]+={0,2})?$/,
  /^DUO:\d{7}(=[A-Za-z0-9][A-Za-z0-9._:-]*)?$/,
];
/** Numbers of studies and boards in public registers: they stand for nobody. */
const registered = /\b(NCT|DRKS|ISRCTN|IRB|FWA|UMIN|ChiCTR|ACTRN) ?\d{7,14}\b/gi;

/** What looks like a person or a sample in a text. */
const identifiers: readonly [RegExp, string][] = [
  [/[^\s@]+@[^\s@]+\.[a-z]{2,}/i, 'an e-mail address'],
  [/\bTCGA-[A-Z0-9]{2}-(?=[A-Z]{0,3}\d)[A-Z0-9]{4}/i, 'a sample barcode'],
  [/(?<!\d)(\d{1,2}[./]\d{1,2}[./](19|20)\d\d|(19|20)\d\d-\d\d-\d\d)(?!\d)/, 'a date'],
  [/\d{7,}/, 'a long number'],
  [/(\+|\b00)\d[\d ()/-]{7,}\d/, 'a telephone number'],
];

/**
 * Members in which somebody writes a text for the first time, by kind. The others repeat what an earlier entry or a signed
 * roster says: to refuse them there would keep a site from leaving, or a key from being exchanged.
 */
const written: Partial<Record<Kind, readonly string[]>> = {
  'policy.set': ['legalBasis', 'reference', 'retentionClass'],
  'policy.override': ['justification'],
  'dataset.commit': ['dataset'],
  'dataset.withdraw': ['reason'],
  'plan.propose': ['name', 'builder'],
  'plan.approve': ['conditions'],
  'plan.reject': ['reason'],
  'plan.withdraw': ['reason'],
  'role.grant': ['subject', 'issuer'],
  'model.release': ['intendedUse'],
};

/** Kind and body of an entry, signed or not. */
interface Said {
  readonly kind: Kind;
  readonly body: unknown;
}

/** A text that looks like a person, a sample or a secret. */
export interface Identifier {
  /** where it stands: member of the body, at any depth */
  readonly member: string;
  /** e.g. `an e-mail address` */
  readonly found: string;
}

/** The first text of a body that row D1 finds fault with; undefined when there is none. */
export function identifierIn({ kind, body }: Said): Identifier | undefined {
  // a proof against a dealer is no text: row S2 reads it to its last byte
  const isText = (member: string): boolean => kind !== 'round.reopen' || member !== 'proof';
  return firstIn(textsOf(body, '').filter(([, member]) => isText(member)));
}

/**
 * Refuse to write down what looks like a person: every hospital keeps the log, and nothing can be taken out of it again.
 *
 * @throws E_LOG_ENTRY (D1) that names the member and never its text
 */
export function refuseIdentifiers({ kind, body }: Said): void {
  const members = written[kind] ?? [];
  refuse(kind, firstIn(textsOf(body, '').filter(([, member]) => members.includes(member))));
}

/**
 * Refuse names and texts that an entry will refer to, before anybody signs them.
 *
 * @param where whose texts they are, e.g. `the plan`
 * @throws E_LOG_ENTRY (D1) that names the text and never what it says
 */
export function refuseIdentifying(where: string, texts: Readonly<Record<string, string | undefined>>): void {
  refuse(where, firstIn(Object.entries(texts).map(([member, text]) => [text ?? '', member])));
}

function refuse(where: string, identifier: Identifier | undefined): void {
  if (identifier === undefined) return;
  const what = `${where}: ${identifier.member} holds ${identifier.found}`;
  throw entryRefused('D1', `${what}; nothing can be taken out of the log again: write it without`);
}

type Text = readonly [text: string, member: string];

function firstIn(texts: readonly Text[]): Identifier | undefined {
  for (const [text, member] of texts) {
    const rest = text.replace(registered, '');
    const found = identifiers.find(([pattern]) => pattern.test(rest))?.[1] ?? denseIn(text);
    if (found !== undefined) return { member, found };
  }
  return undefined;
}

/** The texts in a value that are no fixed form, each with its member; a list is about what its member is. */
function textsOf(value: unknown, member: string): Text[] {
  if (typeof value === 'string') return isForm(value, member) ? [] : [[value, member]];
  if (Array.isArray(value)) return value.flatMap((inner) => textsOf(inner, member));
  return isRecord(value) ? Object.entries(value).flatMap(([name, inner]) => textsOf(inner, name)) : [];
}

function isForm(text: string, member: string): boolean {
  if (digest.safeParse(text).success) return true;
  if (freeTexts.includes(member)) return false;
  return (
    structural.some((pattern) => pattern.test(text)) ||
    (decimals.has(member) && decimal.safeParse(text).success)
  );
}

/** A word of 32 ASCII characters or more with a digit and over four bits a character: a key, in no language a word. */
function denseIn(text: string): string | undefined {
  const isKey = (word: string): boolean => /^(?=.*\d)[!-~]{32,}$/.test(word) && bitsPerCharacter(word) > 4;
  return text.split(/[\s/:+.-]+/).some(isKey) ? 'a random-looking word' : undefined;
}

/** @param word of ASCII */
function bitsPerCharacter(word: string): number {
  const counts = new Map<string, number>();
  for (const character of word) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, n) => sum - (n / word.length) * Math.log2(n / word.length), 0);
}
