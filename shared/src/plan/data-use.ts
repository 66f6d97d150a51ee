import { isDataUseTerm, labelOf, ruleOf, type Term, termOf } from './data-use-terms.js';

const ANY = 'DUO:0000004';
const BIOMEDICAL = 'DUO:0000006';
const DISEASE = 'DUO:0000007';
const ANCESTRY = 'DUO:0000011';
const GENERAL = 'DUO:0000042';
const NEITHER_PROFIT_NOR_COMMERCE = 'DUO:0000018';
const COMMERCE: readonly string[] = ['DUO:0000045', 'DUO:0000046'];

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
  if (!permitsResearch(dataUse)) return 'the dataset has no code that permits any research';
  return dataUseFault(dataUse, use);
}

/** Whether terms permit some research; those of data that are not open must. */
export const permitsResearch = (terms: readonly string[]): boolean =>
  terms.some((text) => ruleOf(termOf(text).code) === 'aim');

/** What to add, and where, when data of patients have no terms that permit research. */
export const TERMS_NEEDED =
  "add what the patients consented to under `dataset` of the daemon's configuration, e.g. `dataUse: ['DUO:0000006']` for biomedical research, and state it by `regulon site policy set` (docs/data-use.md)";

/** What to do about a fault that `datasetUseFault` finds: who adds what, where. */
export const datasetUseHint = ({ dataUse }: Pick<DatasetTerms, 'dataUse'>): string =>
  permitsResearch(dataUse)
    ? "nobody excepts from the terms of a dataset: reject the plan, or the researcher declares its use in the plan, e.g. `dataUse: ['DUO:0000006']`, and proposes it again (docs/data-use.md)"
    : TERMS_NEEDED;

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
  switch (ruleOf(code)) {
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

const isAim = ({ code }: Term): boolean => ruleOf(code) === 'aim';

/**
 * When the use of data ends by their terms: no approval may hold longer.
 *
 * @returns RFC 3339 time right after the last day, of the earliest term; undefined when the terms set no day
 */
export function endOfUse(terms: readonly string[]): string | undefined {
  const days = terms.map(termOf).filter(({ code, text }) => ruleOf(code) === 'until' && isDataUseTerm(text));
  const [first] = days.map(({ detail }) => detail).sort();
  return first === undefined ? undefined : new Date(Date.parse(first) + 86_400_000).toISOString();
}
