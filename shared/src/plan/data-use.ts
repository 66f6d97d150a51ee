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

const [ANY, BIOMEDICAL, DISEASE, ANCESTRY, GENERAL] = [
  ...(['DUO:0000004', 'DUO:0000006', 'DUO:0000007', 'DUO:0000011', 'DUO:0000042'] as const),
] as const;
const NEITHER_PROFIT_NOR_COMMERCE = 'DUO:0000018';
const COMMERCE: readonly string[] = ['DUO:0000045', 'DUO:0000046'];

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

interface Term {
  readonly text: string;
  readonly code: string;
  readonly detail: string;
}

function termOf(text: string): Term {
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

/** What a plan says of the use of data. */
export interface DeclaredUse {
  /** purpose of the plan */
  readonly purpose: string;
  /** what it is for and what it undertakes; absent = nothing declared */
  readonly dataUse?: readonly string[] | undefined;
}

/** What a site says of the use of a dataset. */
export interface DatasetTerms {
  readonly dataUse: readonly string[];
  readonly public: boolean;
  readonly simulated: boolean;
}

/**
 * Which term of a dataset a plan does not meet. Data of patients need a term that permits some research: what nobody
 * permitted is refused. Public and simulated data without terms restrict nothing.
 *
 * @returns the term and what is missing, undefined when the declared use is within the terms
 */
export function datasetUseFault(dataset: DatasetTerms, use: DeclaredUse): string | undefined {
  const { dataUse } = dataset;
  if (dataUse.length === 0 && (dataset.public || dataset.simulated)) return undefined;
  if (!dataUse.some((text) => CODES[termOf(text).code]?.[2] === 'aim'))
    return 'the dataset has no code that permits any research';
  return dataUseFault(dataUse, use);
}

/**
 * Which of the terms a plan does not meet; a list without a permission restricts by its other codes alone.
 *
 * @param terms of a dataset or a policy
 * @returns the term and what is missing, undefined when the declared use is within the terms
 */
export function dataUseFault(terms: readonly string[], use: DeclaredUse): string | undefined {
  const declared = use.dataUse ?? [];
  const unknown = [...terms, ...declared].find((text) => !isDataUseTerm(text));
  if (unknown !== undefined) return `${unknown} is no code that can be matched`;
  const given = terms.map(termOf);
  const used = declared.map(termOf);
  const outside = unpermitted(given, used);
  if (outside !== undefined) return outside;
  const broken = given.find((term) => !isMet(term, given, used, use.purpose));
  return broken && `${broken.text} (${labelOf(broken.code)}) is not met by the plan`;
}

/** Every aim of the plan is permitted by some code. */
function unpermitted(given: readonly Term[], used: readonly Term[]): string | undefined {
  const permissions = given.filter(isAim);
  if (permissions.length === 0 || permissions.some(({ code }) => code === ANY)) return undefined;
  const aims = used.filter(isAim);
  const listed = permissions.map(({ text }) => text).join(', ');
  if (aims.length === 0) return `${listed}: the plan declares no kind of research`;
  const outside = aims.find((aim) => !permissions.some((permission) => permits(permission, aim)));
  return outside && `${outside.text} (${labelOf(outside.code)}) of the plan is outside ${listed}`;
}

/** General research holds every other but clinical care; biomedical research holds that on a disease. */
function permits(permission: Term, aim: Term): boolean {
  if (permission.text === aim.text) return true;
  if (permission.code === GENERAL) return [BIOMEDICAL, DISEASE, ANCESTRY].some((code) => code === aim.code);
  return permission.code === BIOMEDICAL && aim.code === DISEASE;
}

function isMet(term: Term, given: readonly Term[], used: readonly Term[], purpose: string): boolean {
  const { code, detail } = term;
  const has = (wanted: string): boolean => used.some((declared) => declared.code === wanted);
  const details = (list: readonly Term[]): string[] =>
    list.filter((t) => t.code === code).map((t) => t.detail);
  switch (CODES[code]?.[2]) {
    case 'declared':
      return has(code);
    case 'within': {
      const wanted = details(used);
      return wanted.length > 0 && wanted.every((one) => details(given).includes(one));
    }
    case 'after':
      return has(code) && details(used).every((day) => day >= detail);
    case 'methods':
      return purpose !== 'method-development';
    case 'ancestry':
      return !has(ANCESTRY);
    case 'commerce':
      return has(code) || has(NEITHER_PROFIT_NOR_COMMERCE) || COMMERCE.every(has);
    case 'aim': // judged together before
    case 'until': // bounds the approval
    case undefined:
      return true;
  }
}

const isAim = ({ code }: Term): boolean => CODES[code]?.[2] === 'aim';
const labelOf = (code: string): string => CODES[code]?.[0] ?? code;

/** A code with what it means, for people. */
export function shownTerm(text: string): string {
  return `${text} ${labelOf(termOf(text).code)}`;
}

/**
 * When the use of data ends by their terms: no approval may hold longer.
 *
 * @returns RFC 3339 time right after the last day, of the earliest term; undefined when the terms set no day
 */
export function endOfUse(terms: readonly string[]): string | undefined {
  const days = terms
    .map(termOf)
    .filter(({ code, text }) => CODES[code]?.[2] === 'until' && isDataUseTerm(text));
  const [first] = days.map(({ detail }) => detail).sort();
  return first === undefined ? undefined : new Date(Date.parse(first) + 86_400_000).toISOString();
}
