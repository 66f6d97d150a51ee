import { fromHex, hex } from '../crypto/index.js';
import { type Plan, parsePlan, planHashOf, type Roster, rosterHashOf } from '../plan/index.js';
import { RegulonError } from '../errors/index.js';
import { type RosterView, type Thresholds, thresholds } from '../secagg/index.js';
import { verifyOwnersEnough } from './owned-blocks.js';
import { quorumRuleOf } from './roster-view.js';

/** What everybody in a run has agreed on before its first round. */
export interface RunContract {
  /** 16 bytes */
  readonly runId: Uint8Array;
  readonly federationId: string;
  readonly plan: Plan;
  readonly planHash: Uint8Array;
  readonly rosterHash: Uint8Array;
  /** M: members of the pinned roster */
  readonly members: number;
  /** by policy of the roster: 0 strict, 1 simple majority */
  readonly quorumRule: RosterView['quorumRule'];
  /** roster ids and names in the order of the plan */
  readonly sites: readonly { readonly id: number; readonly name: string }[];
  /** the gene panel (or the steps of a series): digest of the ordered identifiers and their number */
  readonly panel: { readonly digest: Uint8Array; readonly size: number };
  /** whether every dataset of the run is declared public (or simulated) by its steward */
  readonly isPublic: boolean;
  /** thresholds when all sites are in U1 */
  readonly thresholds: Thresholds;
}

/** Text form of a run id. */
export const runName = (runId: Uint8Array): string => `run_${hex(runId)}`;

/** @throws E_ARGUMENT when the text is not `run_` and 32 hexadecimal digits */
export function parseRunName(name: string): Uint8Array {
  if (!/^run_[0-9a-f]{32}$/.test(name))
    throw new RegulonError('E_ARGUMENT', 'a run id is run_ and 32 hexadecimal digits');
  return fromHex(name.slice(4));
}

/**
 * The contract of a run, checked: the sites of the plan are members, the roster allows the thresholds.
 *
 * @throws E_PLAN when a site is not in the roster; E_POLICY when the plan weakens the policy of the roster, or a block has
 *   too few owners
 */
export function contractOf(fields: {
  runId: Uint8Array;
  plan: unknown;
  roster: Roster;
  panel: RunContract['panel'];
  isPublic: boolean;
}): RunContract {
  const plan = parsePlan(fields.plan);
  const { roster } = fields;
  const sites = plan.sites.map((name) => {
    const member = roster.members.find((m) => m.name === name);
    if (!member)
      throw new RegulonError('E_PLAN', `plan: sites: ${name} is not a member of ${roster.federationId}`);
    return { id: member.id, name };
  });
  const { gamma, nMin, subCohort } = plan.secureAggregation;
  const weaker =
    nMin < roster.policy.nMin || gamma.num * roster.policy.gamma.den < roster.policy.gamma.num * gamma.den;
  if (weaker)
    throw new RegulonError(
      'E_POLICY',
      `plan: secureAggregation: nMin and gamma may not be below those of the roster (${roster.policy.nMin}, ${roster.policy.gamma.num}/${roster.policy.gamma.den})`,
    );
  const limits = thresholds({
    ...{ N: sites.length, M: roster.members.length, n: sites.length, gammaNum: gamma.num },
    ...{ gammaDen: gamma.den, strict: quorumRuleOf(roster) === 0 },
  });
  if (subCohort !== undefined && subCohort < limits.c + 4)
    throw new RegulonError(
      'E_POLICY',
      `plan: secureAggregation.subCohort: groups of ${subCohort} sites are below c + 4 = ${limits.c + 4}`,
    );
  verifyOwnersEnough({ plan, sites, thresholds: limits });
  return {
    runId: fields.runId,
    federationId: roster.federationId,
    plan,
    planHash: planHashOf(plan),
    rosterHash: rosterHashOf(roster),
    members: roster.members.length,
    quorumRule: quorumRuleOf(roster),
    sites,
    panel: fields.panel,
    isPublic: fields.isPublic,
    thresholds: limits,
  };
}
