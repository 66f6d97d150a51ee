import { z } from 'zod';

/** What follows a code after `=`. */
type Detail = 'none' | 'term' | 'word' | 'day';

/**
 * How a code of a dataset is met by a plan: `aim` permits a kind of research; `declared`: the plan has the same code;
 * `within`: each detail that the plan has under the code, at least one, is one of the dataset's; `until`, `after`: a day
 * before which, or not before which, something ends; the others by a rule of their own.
 */
type Rule = 'aim' | 'declared' | 'within' | 'until' | 'after' | 'methods' | 'ancestry' | 'commerce';

/** Codes of the Data Use Ontology that are matched by machine. @see docs/data-use.md */
const CODES: Readonly<Record<string, readonly [label: string, detail: Detail, rule: Rule]>> = {
  'DUO:0000004': ['no restriction', 'none', 'aim'],
  'DUO:0000006': ['health, medical or biomedical research', 'none', 'aim'],
  'DUO:0000007': ['research on the named disease', 'term', 'aim'],
  'DUO:0000011': ['population origins or ancestry only', 'none', 'aim'],
  'DUO:0000012': ['research of the named type only', 'term', 'within'],
  'DUO:0000015': ['no research on methods', 'none', 'methods'],
  'DUO:0000016': ['genetic studies only', 'none', 'declared'],
  'DUO:0000018': ['not-for-profit organisations, non-commercial use only', 'none', 'commerce'],
  'DUO:0000019': ['results are published', 'none', 'declared'],
  'DUO:0000020': ['collaboration with the first investigators', 'none', 'declared'],
  'DUO:0000021': ['ethics approval', 'none', 'declared'],
  'DUO:0000022': ['within the named places only', 'word', 'within'],
  'DUO:0000024': ['no publication before the day', 'day', 'after'],
  'DUO:0000025': ['use until the day', 'day', 'until'],
  'DUO:0000026': ['the named users only', 'word', 'within'],
  'DUO:0000027': ['the named projects only', 'word', 'within'],
  'DUO:0000028': ['the named institutions only', 'word', 'within'],
  'DUO:0000029': ['results go back to the resource', 'none', 'declared'],
  'DUO:0000042': ['general research', 'none', 'aim'],
  'DUO:0000043': ['clinical care', 'none', 'aim'],
  'DUO:0000044': ['no research on population origins or ancestry', 'none', 'ancestry'],
  'DUO:0000045': ['not-for-profit organisations only', 'none', 'commerce'],
  'DUO:0000046': ['non-commercial use only', 'none', 'commerce'],
};

const DETAILS: Readonly<Record<Detail, (detail: string | undefined) => boolean>> = {
  none: (detail) => detail === undefined,
  term: (detail) => /^[A-Za-z]{2,12}:[A-Za-z0-9._-]{1,40}$/.test(detail ?? ''),
  word: (detail) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/.test(detail ?? ''),
  day: (detail = '') => /^20\d\d-\d\d-\d\d$/.test(detail) && isDay(detail),
};

/** Whether the calendar has a day; `Date.parse` alone takes 30 February for one of March. */
function isDay(text: string): boolean {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

/** A code with its detail. */
export interface Term {
  readonly text: string;
  readonly code: string;
  readonly detail: string;
}

/** Read a term; what it means, its code says. */
export function termOf(text: string): Term {
  const at = text.indexOf('=');
  const [code, detail] = at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
  return { text, code, detail: detail ?? '' };
}

/** Whether a text is a code that is matched here, with the detail that it needs, e.g. `DUO:0000007=MONDO:0007254`. */
export function isDataUseTerm(text: string): boolean {
  const { code, detail } = termOf(text);
  const known = Object.hasOwn(CODES, code) ? CODES[code] : undefined;
  return known !== undefined && DETAILS[known[1]](text.includes('=') ? detail : undefined);
}

/** Codes of a dataset, a policy or a plan: at most 32, each once. */
export const dataUseSchema = z
  .array(z.string().max(80).refine(isDataUseTerm, 'a code of the Data Use Ontology with the detail it needs'))
  .max(32)
  .refine((list) => new Set(list).size === list.length, 'each code once');

/** How a code is met; undefined for one that is not matched here. */
export const ruleOf = (code: string): Rule | undefined =>
  Object.hasOwn(CODES, code) ? CODES[code]?.[2] : undefined;

/** What a code means. */
export const labelOf = (code: string): string => CODES[code]?.[0] ?? code;

/** A code with what it means, for people. */
export function shownTerm(text: string): string {
  return `${text} ${labelOf(termOf(text).code)}`;
}
