import { invited, isEnough, rulesNow } from './cohort.js';
import type { Burnt, RoundEffect, RoundRules, RoundState, Transition } from './state.js';

/** Why an attempt came to nothing after shares were asked for. */
export interface BurnReason {
  readonly code: string;
  readonly message: string;
  readonly dealer?: number | undefined;
}

/**
 * What a Reopen of the round would have to say now: of a burnt round, or of one that lacks answers in R4.
 *
 * @returns null when there is nothing that a Reopen could lift
 */
export function reopenable(state: RoundState, rules: RoundRules): Burnt | null {
  if (state.phase === 'burnt') return state.burnt;
  if (rules.subCohort > 0) return null;
  const isPaused = state.phase === 'unmask' && state.pausedSince !== null && !state.burnt;
  return isPaused ? burntBy(state, rules, { code: 'E_DEADLINE', message: 'too few answers in R4' }) : null;
}

function burntBy(state: RoundState, rules: RoundRules, { code, message, dealer = null }: BurnAs): Burnt {
  const contributors = state.u3.filter((id) => rules.contributors.includes(id) && id !== dealer);
  return { attempt: state.attempt, code, message, dealer, contributors };
}

type BurnAs = Omit<BurnReason, 'dealer'> & { readonly dealer?: number | null | undefined };

/**
 * Shares were asked for, and there will be no sum of them: sites that answered do not answer again unless the
 * administrators reopen the round.
 *
 * @returns undefined when a Reopen could not help either: it was reopened before, too few sites could take part, or the
 *   groups of another attempt would be others
 */
export function burn(
  state: RoundState,
  rules: RoundRules,
  now: number,
  reason: BurnReason,
): Transition | undefined {
  if (state.burnt || rules.subCohort > 0) return undefined;
  const next = toBurnt({ ...state, burnt: burntBy(state, rules, reason) }, now);
  const pool = invited(rules, next);
  if (!isEnough(rulesNow(rules, { ...next, isReopened: true }), 'u1', pool, pool.length)) return undefined;
  const { code, message } = reason;
  return { state: next, effects: [{ type: 'abort', attempt: state.attempt, code, message }] };
}

/** Back to waiting for the administrators: a Reopen is for one attempt, and that one came to nothing before R4. */
export function toBurnt(state: RoundState, now: number): RoundState {
  return {
    ...state,
    ...{ phase: 'burnt', attempt: state.attempt + 1, waitingSince: now, isReopened: false, answered: [] },
    refusals: state.refusals.filter((r) => r.lasting),
    ...{ pausedSince: null, uploadBegan: false, unmaskable: false },
  };
}

/** The administrators reopened the round. @returns the waiting round, and the end of an attempt that was still open */
export function reopen(state: RoundState, rules: RoundRules, now: number): Transition {
  const burnt = reopenable(state, rules);
  if (!burnt) return { state, effects: [] };
  const { code, message } = burnt;
  const isOpen = state.phase !== 'burnt';
  const effects: RoundEffect[] = isOpen ? [{ type: 'abort', attempt: state.attempt, code, message }] : [];
  const closed = isOpen ? toBurnt({ ...state, burnt }, now) : state;
  const next: RoundState = {
    ...closed,
    ...{ phase: 'waiting', isReopened: true, waitingSince: now, notBefore: now + rules.retryMs },
  };
  return { state: next, effects };
}
