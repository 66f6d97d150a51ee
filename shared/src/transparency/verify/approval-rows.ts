import { hashJson } from '../../crypto/index.js';
import { attachedJson } from '../entries/attachments.js';
import type { GenesisMember } from '../entries/federation-keys.js';
import { digestText } from '../entries/fields.js';
import type { VerifyContext } from './context.js';
import { integersOf } from './context.js';
import { checkPurpose, checkUseOfData } from './data-use-rows.js';
import { checkClaim } from './privacy-claim.js';
import { checkPolicy } from './policy-rows.js';
import { ofKind, type Placed, type RunView } from './run-view.js';

/** What a run was approved as. */
export interface ApprovedRun {
  readonly proposal: Placed<'plan.propose'>;
  /** members named by the plan, in the order of their ids */
  readonly sites: readonly GenesisMember[];
  /** dataset of each approving site, by roster id */
  readonly datasets: ReadonlyMap<number, Placed<'dataset.commit'>>;
  /** every dataset is public or simulated */
  readonly isPublic: boolean;
}

/** Rows A1–A3 of a run: who proposed it, who approved it, and whether that is what ran. */
export function checkApprovals(context: VerifyContext, view: RunView): ApprovedRun | undefined {
  const { log, findings, history } = context;
  const { start } = view;
  if (start === undefined) {
    findings.fail('A2', `${view.run} has entries but no run.start`, view.first);
    return undefined;
  }
  const proposal = ofKind(log.entries, 'plan.propose').find(
    ({ index }) => index === start.entry.body.proposal,
  );
  if (
    proposal === undefined ||
    proposal.index > start.index ||
    proposal.entry.body.planHash !== start.entry.body.planHash
  ) {
    findings.fail('A2', `${view.run} starts a plan that was not proposed before`, start.index);
    return undefined;
  }
  checkProposal(context, proposal);
  checkPurpose(context, proposal);
  const ids = integersOf(start.entry.body.sites, log.resolve);
  const sites = ids.flatMap((id) => history.at(start.index).members.find((member) => member.id === id) ?? []);
  if (
    sites.length !== ids.length ||
    String(ids) !== String(integersOf(proposal.entry.body.sites, log.resolve))
  ) {
    findings.fail('A2', `${view.run} names other sites than its plan`, start.index);
  }
  const datasets = new Map(sites.flatMap((site) => checkSite(context, view, start, proposal, site)));
  const isPublic = sites.length > 0 && sites.every(({ id }) => isOpen(datasets.get(id)));
  if (start.entry.body.public && !isPublic) {
    findings.fail('A2', `${view.run} is called public, but not every dataset is declared so`, start.index);
  }
  checkContributors(context, view, start, proposal, new Set(ids));
  checkClaim(context, proposal);
  return { proposal, sites, datasets, isPublic: isPublic && start.entry.body.public };
}

/** True for a dataset that its steward declared public or simulated. */
export function isOpen(dataset: Placed<'dataset.commit'> | undefined): boolean {
  return dataset !== undefined && (dataset.entry.body.public || dataset.entry.body.simulated);
}

function checkProposal({ log, findings }: VerifyContext, { entry, index }: Placed<'plan.propose'>): void {
  const { plan, planHash, provenance, code } = entry.body;
  if (provenance !== null && provenance.subject !== code)
    findings.fail('A3', 'the provenance is of other code than the proposal names', index);
  const bytes = log.resolve(plan.digest);
  if (bytes === undefined) return;
  if (attachedJson(bytes) === undefined)
    findings.fail('A3', 'the attached plan is not canonical JSON', index);
  else if (digestText(hashJson('plan', bytes)) !== planHash)
    findings.fail('A3', 'the plan hash is not that of the attached plan', index);
}

function checkSite(
  context: VerifyContext,
  view: RunView,
  start: Placed<'run.start'>,
  proposal: Placed<'plan.propose'>,
  site: GenesisMember,
): [number, Placed<'dataset.commit'>][] {
  const { log, findings } = context;
  const indexes = new Set(integersOf(start.entry.body.approvals, log.resolve));
  const approval = ofKind(log.entries, 'plan.approve').find(
    ({ entry, index }) => indexes.has(index) && index < start.index && entry.actor.id === site.name,
  );
  if (approval === undefined || approval.entry.body.planHash !== start.entry.body.planHash) {
    findings.fail(
      'A2',
      `${view.run} has no approval of its plan by the steward of ${site.name}`,
      start.index,
    );
    return [];
  }
  checkUse(context, view, approval);
  const policy = policyOf(context, approval, start);
  if (policy !== undefined) checkPolicy(context, view, approval, policy);
  const dataset = committedDataset(context, approval, start);
  if (policy !== undefined) checkUseOfData(context, view, start, proposal, { approval, policy, dataset });
  return dataset === undefined ? [] : [[site.id, dataset]];
}

/** What a site contributed is under an approval that was in force, and of what it approved. */
function checkUse(
  { findings }: VerifyContext,
  view: RunView,
  { entry: approval }: Placed<'plan.approve'>,
): void {
  const site = approval.actor.id;
  const own = view.contributions.filter(({ entry }) => entry.actor.id === site);
  const expired = own.find(({ entry }) => entry.at > approval.body.validUntil);
  if (expired !== undefined) findings.fail('A2', `the approval of ${site} had expired`, expired.index);
  for (const { entry, index } of own) {
    const { policy, commitment } = entry.body;
    if (policy === approval.body.policy && commitment === approval.body.commitment) continue;
    findings.fail('A2', `${site} contributed under another policy or dataset than was approved`, index);
  }
}

/** The commitment that a steward approved, if it is the newest before the start: an older public one must not hide it. */
function committedDataset(
  { log, findings }: VerifyContext,
  approval: Placed<'plan.approve'>,
  start: Placed<'run.start'>,
): Placed<'dataset.commit'> | undefined {
  const { body, actor } = approval.entry;
  const newest = ofKind(log.entries, 'dataset.commit').findLast(
    ({ entry, index }) =>
      index < start.index && entry.actor.id === actor.id && entry.body.dataset === body.dataset,
  );
  const approved =
    newest?.entry.body.commitment === body.commitment && newest.entry.body.version === body.datasetVersion;
  if (approved) return newest;
  const note = `the steward of ${actor.id} approved a dataset that was not the one committed to at the start`;
  findings.fail('A2', note, approval.index);
  return undefined;
}

/** The policy that a steward approved under, if it was set before. */
function policyOf(
  { log, findings }: VerifyContext,
  approval: Placed<'plan.approve'>,
  start: Placed<'run.start'>,
): Placed<'policy.set'> | undefined {
  const name = approval.entry.actor.id;
  const policies = ofKind(log.entries, 'policy.set').filter(
    ({ entry, index }) => entry.actor.id === name && index < start.index,
  );
  const policy = policies.find(({ entry }) => entry.body.policy.digest === approval.entry.body.policy);
  if (policy === undefined || policy.index > approval.index) {
    findings.fail('A2', `the steward of ${name} approved under a policy that was not set`, approval.index);
    return undefined;
  }
  const { validUntil } = policy.entry.body;
  if (validUntil !== null && validUntil < start.entry.at)
    findings.fail('A2', `the policy of ${name} had expired`, start.index);
  return policy;
}

function checkContributors(
  { findings, history }: VerifyContext,
  view: RunView,
  start: Placed<'run.start'>,
  proposal: Placed<'plan.propose'>,
  sites: ReadonlySet<number>,
): void {
  for (const { entry, index } of view.contributions) {
    const id = history.idOf(entry.actor.id);
    if (id === undefined || !sites.has(id))
      findings.fail('A2', `${entry.actor.id} is not named in the plan`, index);
    if (index < start.index)
      findings.fail('A2', `${entry.actor.id} contributed before the run started`, index);
    if (entry.body.code !== proposal.entry.body.code) {
      findings.fail('A3', `${entry.actor.id} ran other code than was approved`, index);
    }
  }
}
