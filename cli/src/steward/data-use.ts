import { RegulonError } from '@regulon/shared/errors';
import {
  datasetUseFault,
  datasetUseHint,
  dataUseFault,
  endOfUse,
  permitsResearch,
  type Plan,
  shownTerm,
  TERMS_NEEDED,
  untilText,
} from '@regulon/shared/plan';
import { type BodyOf, notExcepted, type OverrideRule } from '@regulon/shared/transparency';
import { shown } from '../enrolment/index.js';
import { ofKind } from './read-log.js';
import type { SiteLink } from './site-link.js';

/** One thing in which the declared use of a plan is outside what a site allows. */
export interface OutsideUse {
  /** key of the policy from which two persons can except the plan; null = terms of the dataset, which nobody can */
  readonly rule: OverrideRule | null;
  readonly why: string;
  /** what to do about it */
  readonly hint: string;
  /** end of the exception that the log has; undefined without one */
  readonly exceptedUntil?: string;
}

/** What a plan is matched against. */
export interface UseTerms {
  readonly plan: Plan;
  /** digest text */
  readonly planHash: string;
  /** digest text of the software that the plan is proposed for */
  readonly code: string;
  readonly policy: BodyOf<'policy.set'>;
  readonly commit: BodyOf<'dataset.commit'>;
}

/** Where the declared use of a plan is outside dataset or policy; empty when it matches. @param now ms since the epoch */
export function outsideUse(
  { log, config }: Pick<SiteLink, 'log' | 'config'>,
  { plan, planHash, code, policy, commit }: UseTerms,
  now: number,
): OutsideUse[] {
  const said = ofKind(log, 'policy.override').filter(({ entry }) => entry.actor.id === config.site);
  const at = new Date(now).toISOString();
  const excepted = (rule: OverrideRule): Pick<OutsideUse, 'exceptedUntil'> => {
    const wanted = { planHash, policy: policy.policy.digest, rule, at };
    const holding = said.filter(({ entry }) => notExcepted(entry.body, wanted) === undefined);
    const end = holding
      .map(({ entry }) => entry.body.expires)
      .sort()
      .at(-1);
    return end === undefined ? {} : { exceptedUntil: end };
  };
  const [ofDataset, ofPolicy] = [datasetUseFault(commit, plan), dataUseFault(policy.dataUse, plan)];
  const found: OutsideUse[] = [];
  const end = endOfUse([...policy.dataUse, ...commit.dataUse]);
  if (end !== undefined && end <= at)
    found.push({ rule: null, why: `terms of the dataset: they ended at ${untilText(end)}`, hint: ENDED });
  const { validUntil } = policy;
  if (validUntil !== null && validUntil <= at)
    found.push({ rule: null, why: `policy: it ended at ${untilText(validUntil)}`, hint: POLICY_ENDED });
  if (policy.allowedCode.length > 0 && !policy.allowedCode.includes(code))
    found.push({ rule: null, why: `policy: software ${code}`, hint: OTHER_CODE });
  if (ofDataset !== undefined)
    found.push({ rule: null, why: `terms of the dataset: ${ofDataset}`, hint: datasetUseHint(commit) });
  const outsidePolicy = (rule: OverrideRule, why: string): void => {
    const hint = `reject the plan, or let two persons except it: \`regulon site override --rule ${rule}\``;
    found.push({ rule, why: `policy: ${why}`, hint, ...excepted(rule) });
  };
  if (!policy.purposes.includes(plan.purpose)) outsidePolicy('purposes', `purpose ${plan.purpose}`);
  if (ofPolicy !== undefined) outsidePolicy('dataUse', ofPolicy);
  return found;
}

const ENDED =
  'reject the plan; where the consent was prolonged, state the new day under `dataset.dataUse` by `regulon site policy set`';

const OTHER_CODE =
  'reject the plan, or name this software under `code` of the policy and state it by `regulon site policy set`';

const POLICY_ENDED =
  'reject the plan, or state the policy with a new day under `validUntil` by `regulon site policy set`';

/** How terms and declared use read on the screen of a request. */
export function useLines(
  { plan, policy, commit }: Omit<UseTerms, 'code'>,
  outside: readonly OutsideUse[],
): string[] {
  const match = outside.map(
    ({ why, exceptedUntil }) =>
      `OUTSIDE ${shown(why)}${exceptedUntil === undefined ? '' : `; excepted by two persons until ${untilText(exceptedUntil)}`}`,
  );
  return [
    `terms of the dataset: ${listed(commit.dataUse)}`,
    `terms of the policy: ${listed(policy.dataUse)}`,
    `declared by the plan: ${listed(plan.dataUse)}`,
    ...(match.length === 0 ? ['match: the declared use is within the terms'] : match),
  ];
}

const listed = (terms: readonly string[] | undefined): string =>
  terms?.map((text) => shown(shownTerm(text))).join('; ') || 'none';

/** How the terms of a dataset read before they are stated. */
export const termsLine = ({ dataUse }: Pick<BodyOf<'dataset.commit'>, 'dataUse'>): string =>
  `terms of its use: ${listed(dataUse)}`;

/** @throws E_POLICY when data of patients would be stated without terms that permit any research: every plan would be refused */
export function verifyTerms(dataset: BodyOf<'dataset.commit'>): void {
  if (dataset.public || dataset.simulated || permitsResearch(dataset.dataUse)) return;
  throw new RegulonError(
    'E_POLICY',
    `dataset ${dataset.dataset} is neither public nor simulated, and states no terms that permit any research: every plan over it would be refused`,
    { hint: TERMS_NEEDED },
  );
}

/** @throws E_POLICY naming what the plan is outside of, unless two persons excepted it */
export function verifyUse(plan: string, outside: readonly OutsideUse[]): void {
  const found = outside.find(({ exceptedUntil }) => exceptedUntil === undefined);
  if (!found) return;
  throw new RegulonError('E_POLICY', `plan ${plan}: the declared use is outside the ${found.why}`, {
    hint: found.hint,
  });
}
