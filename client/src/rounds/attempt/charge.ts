import { decimalOf } from '@regulon/shared/plan';
import type { ChargedEvent } from '@regulon/shared/privacy';
import { Purpose, type RunContract, type ScheduledRound, trainingEvent } from '@regulon/shared/program';
import { type Manifest, ringMechanisms, type SecAggClient } from '@regulon/shared/secagg';
import type { BodyOf } from '@regulon/shared/transparency';
import type { Ledger, LocalFacts } from '../../state/index.js';
import type { SiteContext } from '../context.js';

/** A release that is about to be charged. */
export interface ChargePlace {
  readonly session: {
    readonly run: string;
    readonly agreement: { readonly contract: Pick<RunContract, 'plan'> };
    readonly site: Pick<SiteContext, 'ledger' | 'runs'> & {
      readonly site: { readonly dataset: { readonly name: string } };
    };
  };
  readonly round: Pick<ScheduledRound, 'purpose' | 'stepId' | 'round'>;
  readonly manifest: Manifest;
}

/** The ledger's event of an attempt: what was added to what leaves, for the actual number of sites. */
export function chargeOf(
  place: ChargePlace & { readonly client: Pick<SecAggClient, 'limits'> },
): ChargedEvent {
  return eventOf(place, place.client.limits().h);
}

/** @param h honest contributors that share noise in the ring; the cost of their sum does not depend on it */
export function eventOf({ session, round, manifest }: ChargePlace, h: number): ChargedEvent {
  const { mechanism, z, Q, d } = manifest;
  const about = { purpose: round.purpose, step: round.stepId };
  const { plan } = session.agreement.contract;
  if (plan.privacy && round.purpose === Purpose.train) {
    const own = trainingEvent(plan.privacy, { rounds: 1, counted: !isCounted(session) });
    return { ...own, ...about, ...releaseOf(session.site.runs.local(session.run, round.round)) };
  }
  if (mechanism === 0) return { mechanism: 'none', ...about };
  const name = ringMechanisms[mechanism];
  const claim = { unit: 'hospital', adjacency: 'add-or-remove-one', sampler: `${name}/1` } as const;
  return { mechanism: name, z: decimalOf(z), Q, h, d, ...claim, ...about };
}

/** An update that is sent again is the same release; zeros that stand for none are another one each time. */
const releaseOf = (facts: LocalFacts | undefined): { release?: string } =>
  facts?.release === undefined ? {} : { release: facts.release };

/** Whether the count of patients, drawn once a run, was charged with an earlier round of it. */
function isCounted({ run, site }: ChargePlace['session']): boolean {
  const charges = site.ledger.list(site.site.dataset.name);
  return charges.some(
    (charge) =>
      charge.run === run && charge.event.mechanism === 'gaussian' && charge.event.counted !== undefined,
  );
}

/** Refuse a run whose rounds the budget of this site could not hold together. @throws E_BUDGET before it begins */
export function verifyRunAffordable(
  { plan }: Pick<RunContract, 'plan'>,
  run: string,
  { ledger, site }: Pick<SiteContext, 'ledger' | 'site'>,
): void {
  if (!plan.privacy) return;
  const event = trainingEvent(plan.privacy, { rounds: plan.training.rounds, counted: true });
  ledger.verifyAffordable({ dataset: site.dataset.name, run, round: 0, event });
}

/** What the log says of a charge; null without noise, and where no budget is kept. */
export function chargeStatement(
  ledger: Pick<Ledger, 'spentAround'>,
  dataset: string,
  seq: number,
  { mechanism }: ChargedEvent,
): BodyOf<'round.contribution'>['charge'] {
  const spent = mechanism === 'none' ? undefined : ledger.spentAround({ dataset, seq });
  if (!spent) return null;
  const [before, after] = [spent.before, spent.after].map((epsilon) =>
    decimalOf(Number(epsilon.toPrecision(12))),
  );
  return { ledgerSeq: seq, before: before ?? '', after: after ?? '', event: mechanism };
}
