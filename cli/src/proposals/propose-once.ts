import type { ProposeReply } from '@regulon/coordinator/runs';
import { RegulonError } from '@regulon/shared/errors';
import { type Plan, planHashOf } from '@regulon/shared/plan';
import { type ChainHead, digestText, entryHash, NO_PREVIOUS, parseEntry } from '@regulon/shared/transparency';
import type { CoordinatorApi } from '../api-client/index.js';
import type { FederationName, Person } from '../enrolment/index.js';
import { base64, chainHead, type Proposal } from '../sim/index.js';
import {
  forgetProposal,
  keepProposal,
  type KeptProposal,
  keptProposal,
  settleProposal,
} from './kept-proposal.js';

/** What is proposed, by whom, to whom. */
export interface Proposing {
  readonly plan: Plan;
  readonly proposal: Proposal;
  readonly person: Person;
  readonly federation: FederationName;
  readonly api: Pick<CoordinatorApi, 'propose' | 'actorHead'>;
  /** file of the idempotency key, or null without one */
  readonly place: string | null;
}

/**
 * Sign and send a proposal; with an idempotency key, at most one run comes of it however often it is repeated.
 *
 * The log refuses nothing that it holds already: the same signed bytes get the same answer. So the bytes are kept before
 * they are sent, and a repetition sends them again. A second entry with the same number is never signed as long as
 * the first may have arrived: two signatures under one number are evidence against the researcher.
 *
 * @throws E_ARGUMENT when the key stands for another plan; E_STATE when it cannot be told whether the first arrived
 */
export async function proposeOnce(on: Proposing): Promise<ProposeReply & { repeated: boolean }> {
  const { place, api } = on;
  const before = keptProposal(place);
  if (before) verifySamePlan(before, on.plan);
  if (before?.reply) return { ...before.reply, repeated: true };
  const head = await chainHead(api, on.person);
  const arrival = before ? arrivalOf(before, head) : 'lost';
  if (before && place !== null && arrival === 'lost') forgetProposal(place);
  const usable = before && arrival !== 'lost' ? before : sealed(on, head);
  const kept = place === null ? usable : keepProposal(place, usable);
  verifySamePlan(kept, on.plan);
  const reply = await api.propose(kept.request);
  if (place !== null) settleProposal(place, { ...kept, reply: { run: reply.run, index: reply.index } });
  return { ...reply, repeated: arrival === 'logged' };
}

function sealed(
  { plan, proposal, person, federation }: Proposing,
  head: ChainHead | undefined,
): KeptProposal {
  const { body, attachments } = proposal;
  const entry = person.seal(federation, { kind: 'plan.propose', body }, head, new Date());
  const request = { entry: base64(entry), plan, attachments: attachments.map(base64) };
  return { schema: 'regulon.proposal/1', planHash: digestText(planHashOf(plan)), request, reply: null };
}

function verifySamePlan(kept: KeptProposal, plan: Plan): void {
  if (kept.planHash === digestText(planHashOf(plan))) return;
  throw new RegulonError('E_ARGUMENT', `--idempotency-key: stands for the plan ${kept.planHash}`, {
    hint: 'use a fresh key for another plan',
  });
}

/**
 * Whether the kept entry stands in the log, may still be sent, or was overtaken before it arrived.
 *
 * @param head the person's last entry in the log
 * @throws E_STATE when that cannot be told
 */
function arrivalOf(kept: KeptProposal, head: ChainHead | undefined): 'logged' | 'next' | 'lost' {
  const bytes = new Uint8Array(Buffer.from(kept.request.entry, 'base64'));
  const { seq, prev, actor } = parseEntry(bytes);
  if (head?.seq === seq) return digestText(head.hash) === digestText(entryHash(bytes)) ? 'logged' : 'lost';
  const isNext = prev === (head ? digestText(head.hash) : NO_PREVIOUS);
  if (seq === (head?.seq ?? -1) + 1 && isNext) return 'next';
  const last = head ? `entry ${head.seq}` : 'nothing';
  throw new RegulonError(
    'E_STATE',
    `--idempotency-key: entry ${seq} of ${actor.id} was signed under it, the log now holds ${last} of ${actor.id}: whether it arrived cannot be told`,
    { hint: 'see `regulon run list`; propose it under a fresh key only if it is not there' },
  );
}
