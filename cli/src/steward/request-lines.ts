import { type SiteBudget } from '@regulon/client/privacy';
import { type Plan, untilText } from '@regulon/shared/plan';
import { costOfRun, privacyClaim } from '@regulon/shared/program';
import { thresholds } from '@regulon/shared/secagg';
import type { BodyOf } from '@regulon/shared/transparency';
import { shown } from '../enrolment/index.js';
import { bytesText, tableLines } from '../output/index.js';
import { groupLines, type Leaving, outlineOf, type PlanOutline } from '../plan-file/index.js';
import { type OutsideUse, useLines } from './data-use.js';
import { documentLines } from './document-lines.js';
import type { Proposed } from './inbox.js';

/** What the screen of a request is made from; everything of it is read back from signed bytes, or is this site's own. */
export interface RequestFacts extends Proposed {
  /** the very statement that is signed */
  readonly body: BodyOf<'plan.approve'>;
  readonly commit: BodyOf<'dataset.commit'>;
  readonly policy: BodyOf<'policy.set'>;
  /** where the declared use is outside dataset or policy */
  readonly outside: readonly OutsideUse[];
  /** exact number of units, known to this site only */
  readonly units: number;
  readonly budget: SiteBudget | null;
  /** members of the roster */
  readonly members: number;
  /** site whose steward made the researcher one; null when the founders named the person in entry 0 */
  readonly knownTo: string | null;
  /** plan that this site approved before under the same name, if any */
  readonly before: Plan | null;
}

/** The one screen of a steward: purpose, what runs, which data, what leaves, privacy, expiry; in this order. */
export function requestLines(facts: RequestFacts): string[] {
  const { plan, logged, body } = facts;
  const { actor, body: proposal, at } = logged.entry;
  const outline = outlineOf(plan, facts.commit.panel.size);
  return [
    '1  purpose',
    `   ${plan.purpose}: ${shown(plan.name)}${plan.title === '' ? '' : `, ${shown(plan.title)}`}`,
    `   proposed by researcher ${shown(actor.id)} (${knownBy(facts)}) at ${at}`,
    `   funding, permit or approval: ${plan.reference === undefined ? 'none given' : shown(plan.reference)}`,
    `   key ${shown(actor.key)}; sites ${plan.sites.join(', ')}`,
    '',
    '2  what runs',
    `   task ${outline.task}; ${outline.arms.length} models, ${outline.parameters?.toLocaleString('en') ?? 'unknown'} parameters`,
    '   model',
    ...documentLines(plan.model).map((line) => `     ${line}`),
    `   code ${proposal.code}`,
    ...builderLines(proposal).map((line) => `   ${line}`),
    ...differenceLines(plan, facts.before),
    '',
    '3  which data',
    `   ${body.dataset} version ${body.datasetVersion}, ${facts.units} ${facts.commit.unit}s (the number is shown at this site only, the others see ${facts.commit.band})`,
    `   commitment ${body.commitment}; ${openness(facts.commit)}`,
    ...useLines({ ...facts, planHash: body.planHash }, facts.outside).map((line) => `   ${line}`),
    '',
    '4  what leaves this site',
    ...leavingLines(outline).map((line) => `   ${line}`),
    ...ownerLines(outline).map((line) => `   ${line}`),
    '',
    '5  privacy',
    ...privacyLines(facts).map((line) => `   ${line}`),
    '',
    '6  expiry and conditions',
    `   until ${untilText(body.validUntil)}; conditions ${body.conditions.map(shown).join('; ') || 'none'}; policy ${body.policy}`,
    `   signed by ${Math.max(1, facts.policy.reviewersNeeded)} of this site`,
    '',
    `plan    ${body.planHash}`,
  ];
}

const knownBy = ({ knownTo }: RequestFacts): string =>
  knownTo === null
    ? 'named by the founders of the federation'
    : `known to ${knownTo}, whose steward gave the role`;

/** The signature is for a person to check, where the statement was published. */
function builderLines({ provenance, code }: BodyOf<'plan.propose'>): string[] {
  if (provenance === null) return ['who built it is not stated'];
  const isOfCode = provenance.subject === code ? '' : ' FOR OTHER CODE';
  return [
    `the researcher names a builder${isOfCode}, whose signature is not checked here:`,
    `  ${provenance.builder}, statement ${provenance.statement}`,
  ];
}

const openness = (commit: BodyOf<'dataset.commit'>): string =>
  commit.public ? 'declared public' : commit.simulated ? 'declared simulated' : 'not public';

function differenceLines(plan: Plan, before: Plan | null): string[] {
  if (before === null) return ['   no plan of this name was approved here before'];
  const keys = [...new Set([...Object.keys(plan), ...Object.keys(before)])] as (keyof Plan)[];
  const changed = keys.filter((key) => JSON.stringify(plan[key]) !== JSON.stringify(before[key]));
  return [`   since the plan approved last, changed: ${changed.join(', ') || 'nothing'}`];
}

function leavingLines({ leaves }: PlanOutline): string[] {
  const size = (bytes: number | null): string => (bytes === null ? 'depends' : bytesText(bytes));
  return tableLines(
    [
      { title: 'object', value: ({ step, object }: Leaving) => `${step}: ${object}` },
      { title: 'how often', value: ({ times }) => times, right: true },
      { title: 'size', value: ({ bytes }) => size(bytes), right: true },
      { title: 'form', value: () => 'masked' },
      { title: 'who sees it', value: () => 'nobody alone; the sum over sites: everybody in the run' },
    ],
    leaves,
  );
}

/** A block with owners is no part of the sum over all sites. */
const ownerLines = ({ ownedBlocks }: PlanOutline): string[] =>
  ownedBlocks.map(
    ({ name, owners }) =>
      `of the update, block ${name} is summed over its owners alone: ${owners.join(', ')}`,
  );

function privacyLines({ plan, budget, members }: RequestFacts): string[] {
  const cost = costOfRun(plan);
  const { protectedBy, notProtected } = privacyClaim(plan, cost);
  const { gamma } = plan.secureAggregation;
  const N = plan.sites.length;
  const counts = thresholds({
    ...{ N, M: members, n: N, gammaNum: gamma.num, gammaDen: gamma.den, strict: true },
  });
  const left = budget?.left ?? null;
  const after = left === null ? null : Math.max(0, left - (cost?.reported.epsilon ?? 0));
  return [
    `protected by differential privacy: ${protectedBy}`,
    `not protected by it: ${notProtected}`,
    left === null
      ? 'the policy sets no budget'
      : `budget left now ε = ${left}, after this run at least ${after} at δ = ${budget?.budget?.delta}`,
    `a sum covers at least ${counts.uMin} of ${N} sites; ${counts.c} of ${members} members may collude with the coordinator`,
    ...groupLines(plan),
  ];
}
