import { RegulonError } from '../errors/index.js';
import { verifyDelta, verifySteps } from './checks.js';
import { gaussianEpsilon, gaussianMu } from './exact-gaussian.js';
import { integerOrders, type IntegerMechanism, rdpOfInteger } from './integer-mechanisms.js';
import { pldEpsilon, REPORT_GRID, type SampledGaussianSteps } from './pld.js';
import { epsilonFromRdp, rdpOfSampledGaussian, rdpOrders } from './rdp.js';

/** Version of the accountants: it changes whenever a figure of the same events would. */
export const ACCOUNTANT = 'regulon-accountant/1';

/** Steps of a Gaussian mechanism, on all units (q = 1) or on a Poisson sample of them. */
export interface GaussianEvent extends SampledGaussianSteps {
  readonly mechanism: 'gaussian';
}

/** Releases of an integer mechanism on all units. */
export interface IntegerEvent extends IntegerMechanism {
  readonly steps: number;
}

/** What was done to the data, as the ledger stores it; ε is always recomputed from events. */
export type PrivacyEvent = GaussianEvent | IntegerEvent;

/** What a list of events costs, by every accountant that covers it. */
export interface PrivacyAccount {
  readonly delta: number;
  readonly epsilon: {
    /** by privacy loss distributions; null when an integer mechanism is among the events */
    readonly pld: number | null;
    /** by Rényi divergences: a cross-check, never below the others */
    readonly rdp: number;
    /** by the exact formula; null unless all events are Gaussian on all units */
    readonly exact: number | null;
  };
  /** the tightest of them, and its accountant */
  readonly reported: { readonly epsilon: number; readonly by: 'exact' | 'pld' | 'rdp' };
  readonly accountant: typeof ACCOUNTANT;
}

/**
 * ε of a list of events at δ, by all accountants that cover it.
 *
 * @param events any number; none costs nothing
 * @throws E_PRIVACY for parameters outside their range
 */
export function accountOf(
  events: readonly PrivacyEvent[],
  delta: number,
  options: AccountOptions = {},
): PrivacyAccount {
  const { pld, rdp, exact } = accountants(events, delta, options);
  const epsilon = { pld: pld(), rdp: rdp(), exact: exact() };
  const reported = tightest({ pld: () => epsilon.pld, rdp: () => epsilon.rdp, exact: () => epsilon.exact });
  return { delta, epsilon, reported, accountant: ACCOUNTANT };
}

/** What `accountOf` reports, without the time that the accountants beside it take. @throws E_PRIVACY */
export function reportedEpsilon(
  events: readonly PrivacyEvent[],
  delta: number,
  options: AccountOptions = {},
): PrivacyAccount['reported'] {
  return tightest(accountants(events, delta, options));
}

interface AccountOptions {
  /** width of the loss grid, see `REPORT_GRID` */
  readonly grid?: number;
  /** hospitals that hold the same patient */
  readonly copies?: number;
}

/** ε by each accountant, computed when it is asked for. */
type Accountants = { readonly [A in keyof PrivacyAccount['epsilon']]: () => PrivacyAccount['epsilon'][A] };

function accountants(
  events: readonly PrivacyEvent[],
  delta: number,
  { grid = REPORT_GRID, copies = 1 }: AccountOptions,
): Accountants {
  verifyDelta(delta);
  verifySteps(copies);
  events.forEach(({ steps }) => verifySteps(steps));
  const all = merged(events.map((event) => ({ ...event, steps: event.steps * copies })));
  const gaussian = all.filter((event) => event.mechanism === 'gaussian');
  const covered = gaussian.length === all.length;
  return {
    pld: () => (covered ? (all.length === 0 ? 0 : pldEpsilon(gaussian, delta, grid)) : null),
    rdp: () => rdpEpsilon(all, delta),
    exact: () =>
      covered && gaussian.every(({ q }) => q === 1) ? gaussianEpsilon(gaussianMu(gaussian), delta) : null,
  };
}

/**
 * An ε that the events do not exceed, in milliseconds: by the exact formula where it covers them, else by Rényi
 * divergences.
 *
 * @throws E_PRIVACY
 */
export function boundOf(events: readonly PrivacyEvent[], delta: number): number {
  verifyDelta(delta);
  if (events.length === 0) return 0;
  const everybody = events.flatMap((event) =>
    event.mechanism === 'gaussian' && event.q === 1 ? [event] : [],
  );
  if (everybody.length < events.length) {
    // whole orders only: fractional ones are a little tighter, and take seconds where half of the units are sampled
    const all = merged(events);
    return epsilonFromRdp((order) => totalRdp(all, order), delta, integerOrders).epsilon;
  }
  return gaussianEpsilon(gaussianMu(everybody), delta);
}

/** Sum of the events' divergences, turned into ε. */
export function rdpEpsilon(events: readonly PrivacyEvent[], delta: number): number {
  if (events.length === 0) return 0;
  const orders = events.every(({ mechanism }) => mechanism === 'gaussian') ? rdpOrders : integerOrders;
  return epsilonFromRdp((order) => totalRdp(events, order), delta, orders).epsilon;
}

function totalRdp(events: readonly PrivacyEvent[], order: number): number {
  return events.reduce((sum, event) => sum + event.steps * rdpOf(event, order), 0);
}

function rdpOf(event: PrivacyEvent, order: number): number {
  switch (event.mechanism) {
    case 'gaussian':
      return rdpOfSampledGaussian(event.q, event.z, order);
    case 'discrete-gaussian':
    case 'skellam':
      return rdpOfInteger(event, order);
  }
}

function tightest({ exact, pld, rdp }: Accountants): PrivacyAccount['reported'] {
  const known = exact();
  if (known !== null) return { epsilon: known, by: 'exact' };
  const composed = pld();
  return composed !== null ? { epsilon: composed, by: 'pld' } : { epsilon: rdp(), by: 'rdp' };
}

/** Events with the same parameters become one with the sum of their steps. */
function merged(events: readonly PrivacyEvent[]): PrivacyEvent[] {
  const byKind = new Map<string, PrivacyEvent>();
  for (const event of events) {
    const key = JSON.stringify(Object.entries({ ...event, steps: 0 }).sort());
    const known = byKind.get(key);
    byKind.set(key, known ? { ...known, steps: known.steps + event.steps } : event);
  }
  const list = [...byKind.values()];
  if (list.some(({ steps }) => !Number.isSafeInteger(steps)))
    throw new RegulonError('E_PRIVACY', 'more steps than can be counted');
  return list;
}
