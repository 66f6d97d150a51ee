import { z } from 'zod';
import type { Objections } from '@regulon/client/consent';
import { hashJson } from '@regulon/shared/crypto';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { type Plan, planOfBytes } from '@regulon/shared/plan';
import { type BodyOf, digestText, elementsOf, Withdrawals } from '@regulon/shared/transparency';
import { type LoggedEntry, ofKind } from './read-log.js';
import type { SiteLink } from './site-link.js';

/** The log as a steward reads it. */
export type InboxLog = Pick<SiteLink, 'own' | 'log' | 'attachment'>;

/** What a steward is asked. */
export interface InboxItem {
  /** number of the proposal in the log: no two have the same */
  readonly entry: number;
  readonly plan: string;
  readonly planHash: string;
  readonly researcher: string;
  readonly proposedAt: string;
  /** by the log; `data withdrawn`: its steward has taken the dataset of this site back */
  readonly state: 'waits' | 'approved' | 'expired' | 'rejected' | 'withdrawn' | 'data withdrawn';
  /** what keeps this site's own daemon out of the plan, whatever the log says */
  readonly stopped: 'plan' | 'dataset' | 'unreadable' | null;
  /** end of the approval */
  readonly until: string | null;
}

/** The word of the steward at the own site, beside the log. */
export interface OwnWord {
  /** of the configuration of the daemon */
  readonly dataset: string;
  readonly objections: Pick<Objections, 'against'>;
}

/**
 * Proposals that name this site, the newest last.
 *
 * @param here what the site's own daemon goes by
 * @param now ms since the epoch
 */
export async function inboxOf(site: InboxLog, here: OwnWord, now: number): Promise<InboxItem[]> {
  const proposals = await proposalsTo(site);
  const taken = withdrawalsIn(site);
  return proposals.map(({ index, entry }) => {
    const { name, planHash } = entry.body;
    const until = lastApproval(site, planHash)?.validUntil ?? null;
    const given = until === null ? 'waits' : Date.parse(until) > now ? 'approved' : 'expired';
    const withdrawn = taken.isWithdrawn(site.own.name, here.dataset) ? 'data withdrawn' : given;
    const state = taken.refusalOf(site.own.name, planHash) ?? withdrawn;
    const stopped = stoppedBy(here, planHash);
    const { actor, at: proposedAt } = entry;
    return {
      ...{ entry: index, plan: name, planHash, researcher: actor.id, proposedAt },
      ...{ state, stopped, until },
    };
  });
}

function stoppedBy({ objections, dataset }: OwnWord, planHash: string): InboxItem['stopped'] {
  try {
    const found = objections.against(planHash, dataset);
    if (found === undefined) return null;
    return 'planHash' in found.subject ? 'plan' : 'dataset';
  } catch (error) {
    // a file that may be a no stops every plan
    if (isRegulonError(error, 'E_POLICY')) return 'unreadable';
    throw error;
  }
}

/** @throws E_POLICY when the steward has taken the dataset back that an approval would let a plan use */
export function verifyNotWithdrawn(site: InboxLog, dataset: string): void {
  const taken = withdrawalsIn(site);
  if (!taken.isWithdrawn(site.own.name, dataset)) return;
  const isGone = taken.isGone(site.own.name, dataset);
  throw new RegulonError(
    'E_POLICY',
    `dataset ${dataset} of ${site.own.name} was withdrawn: no plan may use it`,
    {
      hint: isGone
        ? 'it was withdrawn for good: reject the plan; other data get another name'
        : 'reject the plan, or commit to other data with `regulon site policy set`',
    },
  );
}

/** A proposal with its plan, read back from the bytes that the log names. */
export interface Proposed {
  readonly logged: LoggedEntry<'plan.propose'>;
  readonly plan: Plan;
}

/**
 * The proposal that a person names.
 *
 * @param named name of the plan, or a beginning of its digest
 * @throws E_NOT_FOUND when none or several fit; E_PLAN when its bytes are not those of its digest
 */
export async function findProposal(site: InboxLog, named: string): Promise<Proposed> {
  const wanted = named.startsWith('sha256:') ? named : `sha256:${named}`;
  const found = (await proposalsTo(site)).filter(
    ({ entry }) => entry.body.name === named || entry.body.planHash.startsWith(wanted),
  );
  const hashes = new Set(found.map(({ entry }) => entry.body.planHash));
  const logged = found.at(-1);
  if (!logged || hashes.size !== 1) {
    throw new RegulonError('E_NOT_FOUND', `${named}: ${hashes.size} plans that name this site fit`, {
      hint: '`regulon site inbox` lists them; name one by the beginning of its digest',
    });
  }
  return { logged, plan: await planOf(site, logged.entry.body) };
}

async function planOf(site: InboxLog, body: BodyOf<'plan.propose'>): Promise<Plan> {
  const bytes = await site.attachment(body.plan.digest);
  if (digestText(hashJson('plan', bytes)) === body.planHash) return planOfBytes(bytes);
  throw new RegulonError('E_PLAN', `the plan that the coordinator shows is not the one that was proposed`, {
    hint: 'approve nothing; tell the administrators',
  });
}

async function proposalsTo(site: InboxLog): Promise<LoggedEntry<'plan.propose'>[]> {
  const found: LoggedEntry<'plan.propose'>[] = [];
  for (const logged of ofKind(site.log, 'plan.propose')) {
    const { sites } = logged.entry.body;
    const bytes = Array.isArray(sites) ? undefined : await site.attachment(sites.digest);
    if (elementsOf(sites, z.int().min(0), () => bytes).includes(site.own.id)) found.push(logged);
  }
  return found;
}

/** What the stewards of all sites have taken back. */
export function withdrawalsIn({ log }: Pick<InboxLog, 'log'>): Withdrawals {
  return Withdrawals.of(log.map(({ entry }) => entry));
}

/** The newest approval of a plan by this site's steward. */
export function lastApproval(site: InboxLog, planHash: string): BodyOf<'plan.approve'> | undefined {
  const own = ofKind(site.log, 'plan.approve').filter(({ entry }) => entry.actor.id === site.own.name);
  return own.filter(({ entry }) => entry.body.planHash === planHash).at(-1)?.entry.body;
}
