import { equalBytes, hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { datasetUseFault, datasetUseHint, dataUseFault, isPrepared } from '@regulon/shared/plan';
import type { RunContract } from '@regulon/shared/program';
import { ringMechanisms } from '@regulon/shared/secagg';
import type { OverrideRule } from '@regulon/shared/transparency';
import { DAEMON_CODE } from '../version/index.js';
import type { SiteView } from './site-view.js';

/**
 * Compare an approved plan with what this hospital allows.
 *
 * @param rounds number of rounds that the plan implies
 * @param excepted rules from which two persons of this site excepted the plan
 * @returns those of them without which the policy refuses the plan
 * @throws E_POLICY naming the key of the plan that the policy refuses; E_PANEL when the genes are others
 */
export function verifyPlanAllowed(
  contract: RunContract,
  site: SiteView,
  rounds: number,
  excepted: ReadonlySet<OverrideRule> = new Set(),
): OverrideRule[] {
  const needed: OverrideRule[] = [];
  const { name } = contract.plan;
  const refuse: Refuse = (key, rule, hint) => {
    throw new RegulonError('E_POLICY', `plan ${name}: ${key}: ${rule}`, hint === undefined ? {} : { hint });
  };
  const refuseUnless: RefuseUnless = (rule, key, why) => {
    if (!excepted.has(rule)) refuse(key, why, exceptionHint(rule));
    needed.push(rule);
  };
  verifyUse(contract, site, refuse, refuseUnless);
  verifyAggregation(contract, site, refuse);
  verifyPrivacy(contract, site, refuse);
  verifySize(contract, site, rounds, refuseUnless);
  verifySoftware(site, refuse);
  verifyExtent(contract, site, refuse);
  verifyOwnedModel(contract, refuse);
  verifyDataset(contract, site, refuse);
  verifyPanelAgreed(contract, site);
  verifyListedGenes(contract, site);
  return needed;
}

type Refuse = (key: string, rule: string, hint?: string) => never;
/** Refuses what nobody excepted the plan from. */
type RefuseUnless = (rule: OverrideRule, key: string, why: string) => void;

const exceptionHint = (rule: OverrideRule): string =>
  `change ${rule} in the policy file and state it by \`regulon site policy set\`, or let two persons except this plan: \`regulon site override --rule ${rule}\``;

/** What the data are used for: the terms of the dataset hold whatever anybody excepts. */
function verifyUse(
  { plan }: Pick<RunContract, 'plan'>,
  { policy, dataset }: SiteView,
  refuse: Refuse,
  refuseUnless: RefuseUnless,
): void {
  const terms = { ...dataset, dataUse: dataset.dataUse ?? [] };
  const outside = datasetUseFault(terms, plan);
  if (outside !== undefined)
    refuse('dataUse', `outside the terms of the dataset: ${outside}`, datasetUseHint(terms));
  if (!policy.purposes.includes(plan.purpose))
    refuseUnless('purposes', 'purpose', 'the policy of this site does not allow it');
  const broken = dataUseFault(policy.dataUse ?? [], plan);
  if (broken !== undefined) refuseUnless('dataUse', 'dataUse', `outside the policy of this site: ${broken}`);
}

/** What protects a single site in the sums. */
function verifyAggregation(
  { plan, isPublic }: RunContract,
  { policy, samplers }: SiteView,
  refuse: Refuse,
): void {
  const { gamma, nMin, subCohort, noise } = plan.secureAggregation;
  if (nMin < policy.nMin) refuse('secureAggregation.nMin', `below ${policy.nMin}, the least of this site`);
  if (gamma.num * policy.gamma.den < policy.gamma.num * gamma.den) {
    refuse('secureAggregation.gamma', 'assumes fewer colluding sites than the policy of this site');
  }
  if (subCohort !== undefined && !policy.allowSubCohorts)
    refuse('secureAggregation.subCohort', 'the policy of this site allows no sub-cohorts');
  // groups are drawn anew in every round: under this policy the second round of an arm would be refused
  if (subCohort !== undefined && policy.stableCohort && !isPublic)
    refuse('secureAggregation.subCohort', 'groups change with every round, and the policy says stableCohort');
  const known = [...samplers.keys()].map((mechanism) => ringMechanisms[mechanism] as string);
  if (noise && !known.includes(noise.mechanism))
    refuse('secureAggregation.noise', `this site has no sampler for ${noise.mechanism}`);
  // weights, metrics, preparation and evaluation are sums without noise: they would undo the claim
  if (noise && !isPublic)
    refuse('secureAggregation.noise', 'the other sums of a run carry no noise yet: only for public data');
}

/** Noise and δ of a plan that protects patients. */
function verifyPrivacy(
  { plan: { privacy } }: Pick<RunContract, 'plan'>,
  { policy, units }: SiteView,
  refuse: Refuse,
): void {
  if (!privacy) return;
  if (policy.privacy && privacy.noiseMultiplier < policy.privacy.minNoise)
    refuse('privacy.noiseMultiplier', `below ${policy.privacy.minNoise}, the least of this site`);
  if (privacy.delta * units >= 1) refuse('privacy.delta', 'it does not fit this site');
}

/** Which plans, and how many rounds. */
function verifySize(
  { planHash }: RunContract,
  { policy }: SiteView,
  rounds: number,
  refuseUnless: RefuseUnless,
): void {
  const digest = `sha256:${hex(planHash)}`;
  if (policy.plans !== 'approved-by-steward' && !policy.plans.includes(digest))
    refuseUnless('plans', '(whole plan)', 'it is not in the list of allowed plans');
  if (rounds > policy.maxRounds)
    refuseUnless('maxRounds', 'training.rounds', `${rounds} rounds are more than ${policy.maxRounds}`);
}

/** What runs here. */
function verifySoftware({ policy }: Pick<SiteView, 'policy'>, refuse: Refuse): void {
  if (policy.code !== undefined && !policy.code.includes(DAEMON_CODE))
    refuse(
      '(whole plan)',
      `the policy of this site does not allow the software of this daemon, ${DAEMON_CODE}`,
      'install software that `code` of the policy file names, or name this one and state it by `regulon site policy set`',
    );
}

/** What may leave a site of its own. */
function verifyExtent({ plan, isPublic }: RunContract, { policy }: SiteView, refuse: Refuse): void {
  if (plan.evaluation.split === 'leave-site-out' && (policy.leaveSiteOut !== 'exact' || !isPublic)) {
    refuse('evaluation.split', 'leaving sites out needs public data and the policy leaveSiteOut: exact');
  }
  if (!isPrepared(plan.dataset.kind) && !isPublic) {
    refuse('dataset.kind', 'no round counts the units of series and sequences: only public data');
  }
  const lone = (plan.evaluation.baselines ?? []).some(({ name }) => name === 'lone-sites');
  if (lone && !isPublic)
    refuse('evaluation.baselines', 'what a site scores alone leaves it only where all data are public');
}

/**
 * Some coordinates of another block get the same gradient as those of a block with owners (a twin of it, or the bias behind
 * a merge): the difference of the two sums is the update of the sites that are no owners, who are always fewer than uMin.
 */
function verifyOwnedModel({ plan, isPublic }: RunContract, refuse: Refuse): void {
  const b = plan.model.blocks.findIndex(({ owners }) => owners);
  if (!isPublic && b >= 0)
    refuse(
      `model.blocks[${b}].owners`,
      'only for public data: other sums would tell the update of the other sites',
    );
}

function verifyDataset({ plan }: RunContract, { dataset, units }: SiteView, refuse: Refuse): void {
  const wanted = plan.dataset;
  if (wanted.name !== dataset.name) refuse('dataset.name', 'this site has no dataset of that name');
  if (wanted.kind !== dataset.kind) refuse('dataset.kind', 'the dataset of this site is of another kind');
  if (wanted.scale !== dataset.scale) refuse('dataset.scale', 'the dataset of this site has another scale');
  if (wanted.unit !== dataset.unit) refuse('dataset.unit', 'the dataset of this site counts other units');
  if (units > plan.secureAggregation.weightCap)
    refuse('secureAggregation.weightCap', 'it does not fit this site');
}

function verifyPanelAgreed(contract: RunContract, site: SiteView): void {
  if (contract.panel.size === site.panel.size && equalBytes(contract.panel.digest, site.panel.digest)) return;
  throw new RegulonError(
    'E_PANEL',
    `the panel of site ${site.own.name} (size ${site.panel.size}) is not the one of the run (size ${contract.panel.size})`,
  );
}

/** A plan that lists genes says what they are called: nobody approves one gene under the name of another. */
function verifyListedGenes({ plan }: RunContract, { panel }: SiteView): void {
  plan.prepare.forEach((step, p) => {
    if (step.step !== 'gene-list') return;
    const g = step.genes.findIndex(({ name, at }) => panel.names[at - 1] !== name);
    if (g < 0) return;
    throw new RegulonError(
      'E_PANEL',
      `plan ${plan.name}: prepare[${p}].genes[${g}]: the panel of this site has another name at ${step.genes[g]?.at}`,
      { hint: 'ask the researcher to write the list with the panel of the run (regulon data panel)' },
    );
  });
}

/** @throws E_POLICY when a model is larger than the policy allows */
export function verifyModelSize(parameters: number, site: SiteView): void {
  if (parameters > site.policy.maxParameters) {
    throw new RegulonError(
      'E_POLICY',
      `the model has ${parameters} parameters, more than the ${site.policy.maxParameters} of the policy`,
    );
  }
}
