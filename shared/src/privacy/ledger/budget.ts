import { RegulonError } from '../../errors/index.js';
import { ACCOUNTANT, boundOf, reportedEpsilon } from '../account.js';
import { type ChargedEvent, privacyEventsOf } from './charged-event.js';
import type { Charge } from './chain.js';

/** What a hospital lets its dataset be used for; part of its policy. */
export interface PrivacyBudget {
  readonly epsilon: number;
  readonly delta: number;
  /** least noise multiplier of an event */
  readonly minNoise: number;
}

/** What a ledger has spent of a dataset. */
export interface Spending {
  /** infinite when a release without noise is among the charges */
  readonly epsilon: number;
  readonly delta: number;
  readonly by: 'exact' | 'pld' | 'rdp' | 'none';
  readonly charges: number;
  readonly accountant: typeof ACCOUNTANT;
}

/** ε of all charges of a dataset together. @throws E_PRIVACY */
export function spendingOf(charges: readonly Pick<Charge, 'event'>[], delta: number): Spending {
  const events = charges.map(({ event }) => privacyEventsOf(event));
  const noisy = events.flatMap((event) => event ?? []);
  const facts = { delta, charges: charges.length, accountant: ACCOUNTANT } as const;
  if (events.includes(undefined)) return { ...facts, epsilon: Infinity, by: 'none' };
  return { ...facts, ...reportedEpsilon(noisy, delta) };
}

/** A bound of that ε, which takes milliseconds and may lie above it. @throws E_PRIVACY */
export function mostSpent(charges: readonly Pick<Charge, 'event'>[], delta: number): number {
  const events = charges.map(({ event }) => privacyEventsOf(event));
  if (events.includes(undefined)) return Infinity;
  return boundOf(
    events.flatMap((event) => event ?? []),
    delta,
  );
}

/**
 * Refuse an event that a budget does not hold beside what was charged before.
 *
 * @param charges of the dataset so far
 * @throws E_BUDGET when it has no noise, too little, or the sum exceeds ε; nothing was charged then
 */
export function verifyWithinBudget(
  charges: readonly Pick<Charge, 'event'>[],
  event: ChargedEvent,
  { epsilon, delta, minNoise }: PrivacyBudget,
): void {
  if (event.mechanism === 'none')
    throw new RegulonError(
      'E_BUDGET',
      'the policy of this site has a privacy budget, and this sum carries no noise',
    );
  const counted = event.mechanism === 'gaussian' ? event.counted : undefined;
  for (const z of [event.z, counted])
    if (z !== undefined && !(Number(z) >= minNoise))
      throw new RegulonError('E_BUDGET', `noise z = ${z} is below ${minNoise}, the least of this site`);
  // the reported ε takes seconds: it is only needed where the bound does not do
  if (mostSpent([...charges, { event }], delta) <= epsilon) return;
  const after = spendingOf([...charges, { event }], delta).epsilon;
  if (!(after <= epsilon))
    throw new RegulonError(
      'E_BUDGET',
      `this release would bring the dataset to ε = ${after.toPrecision(4)} at δ = ${delta}, above the ${epsilon} of this site`,
    );
}
