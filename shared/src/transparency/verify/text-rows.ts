import type { VerifyContext } from './context.js';
import type { ClosedRound } from './opened-rounds.js';

/** Strings whose form a schema fixes; they hold no text of a person. */
const structural = [
  /^sha256:[0-9a-f]{64}$/,
  /^run_[0-9a-f]{32}$/,
  /^[0-9a-f]{64}$/,
  /^[A-Za-z0-9+/]{86}==$/,
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  /^[^\s+]+\+[0-9a-f]{8}(\+[A-Za-z0-9+/]+={0,2})?$/,
  /^-?(0|[1-9]\d*)(\.\d+)?$/,
  /^DUO:\d{7}(=[A-Za-z0-9][A-Za-z0-9._:-]*)?$/,
];

/** What looks like a person or a sample in a text. */
const identifiers: readonly [RegExp, string][] = [
  [/[^\s@]+@[^\s@]+\.[a-z]{2,}/i, 'an e-mail address'],
  [/\bTCGA-[A-Z0-9]{2}-[A-Z0-9]{4}/i, 'a sample barcode'],
  [/\b\d{1,2}[./]\d{1,2}[./](19|20)\d\d\b|\b(19|20)\d\d-\d\d-\d\d\b/, 'a date'],
  [/\d{7,}/, 'a long number'],
  [/(\+|\b00)\d[\d ()/-]{7,}\d/, 'a telephone number'],
];

/** Row D1: no text of an entry looks like an identifier or a secret. */
export function checkTexts({ log, findings }: VerifyContext): void {
  for (const { entry, index } of log.entries) {
    // a proof against a dealer is no text: row S2 reads it to its last byte
    const body = entry.kind === 'round.reopen' ? { ...entry.body, proof: null } : entry.body;
    for (const text of textsOf(body)) {
      const found =
        identifiers.find(([pattern]) => pattern.test(text))?.[1] ??
        (isDense(text) ? 'a random-looking word' : undefined);
      if (found !== undefined) findings.fail('D1', `a text of the entry holds ${found}`, index);
    }
  }
}

/** Row D2: what a round says about its cohort is what its evidence gives, silent survivors counted or not. */
export function checkCoverage({ findings }: VerifyContext, rounds: readonly ClosedRound[]): void {
  for (const { aggregate, manifest, derived } of rounds) {
    const contributors = new Set(manifest.roles.filter(({ role }) => role === 0).map(({ id }) => id));
    const covered = derived.u3.filter((id) => contributors.has(id)).length;
    const { sites } = aggregate.entry.body.coverage;
    if (sites === covered || sites === derived.u3.length) continue;
    const note = `round ${manifest.round} states ${sites} sites, ${covered} contributed`;
    findings.fail('D2', note, aggregate.index);
  }
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return structural.some((pattern) => pattern.test(value)) ? [] : [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}

/** A word of 32 characters or more with over four bits a character: a key, not a word. */
function isDense(text: string): boolean {
  return text.split(/[\s/:+.-]+/).some((word) => word.length >= 32 && bitsPerCharacter(word) > 4);
}

function bitsPerCharacter(word: string): number {
  const counts = new Map<string, number>();
  for (const character of word) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, n) => sum - (n / word.length) * Math.log2(n / word.length), 0);
}
