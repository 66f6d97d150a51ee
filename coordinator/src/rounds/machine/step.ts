import { burn, reopen } from './burnt.js';
import { isStruckOut, withSite, without } from './cohort.js';
import { abandon, fail, settle } from './phases.js';
import type { Refusal, RoundEvent, RoundRules, RoundState, Transition } from './state.js';

/** True while an attempt is under way. */
export const isOpen = ({ phase }: RoundState): boolean =>
  !['waiting', 'burnt', 'closed', 'failed'].includes(phase);

/** Phases in which sites may have answered R4. */
const isAnswering = ({ phase }: RoundState): boolean => phase === 'unmask' || phase === 'fold';

/**
 * The round machine: what follows from an event. Pure; time is given, everything it decides is in its result.
 *
 * @param now ms since the epoch
 * @returns the next state, to be persisted, and the effects, to be carried out, in the same transaction where they
 *   write rows or log entries
 */
export function step(state: RoundState, event: RoundEvent, now: number, rules: RoundRules): Transition {
  if (state.phase === 'closed' || state.phase === 'failed') return { state, effects: [] };
  switch (event.type) {
    case 'begin':
    case 'time':
      return settle(state, rules, now);
    case 'restarted':
      return restart(state, rules, now);
    case 'connected':
      return settle(
        {
          ...state,
          connected: withSite(state.connected, event.site),
          departed: without(state.departed, event.site),
        },
        rules,
        now,
      );
    case 'disconnected':
      return settle({ ...state, connected: without(state.connected, event.site) }, rules, now);
    case 'departed':
      return settle({ ...state, departed: withSite(state.departed, event.site) }, rules, now);
    case 'answered':
      if (event.phase !== state.phase) return { state, effects: [] };
      return settle(
        {
          ...state,
          answered: withSite(state.answered, event.site),
          unmaskable: event.unmaskable ?? state.unmaskable,
          uploadBegan: state.uploadBegan || event.phase === 'input',
        },
        rules,
        now,
      );
    case 'upload-began':
      return { state: state.phase === 'input' ? { ...state, uploadBegan: true } : state, effects: [] };
    case 'refused':
      return refuse(state, event, rules, now);
    case 'struck':
      return strike(state, event.site, rules, now);
    case 'complained':
      if (state.phase !== 'input') return { state, effects: [] };
      return abandon(
        { ...state, disputes: [...state.disputes, [event.site, event.about]] },
        rules,
        now,
        'E_SHARE',
        `site ${event.site} could not open the share of site ${event.about}`,
      );
    case 'broken':
      return breakAttempt(state, event, rules, now);
    case 'reopened': {
      const opened = reopen(state, rules, now);
      const { state: next, effects } = settle(opened.state, rules, now);
      return { state: next, effects: [...opened.effects, ...effects] };
    }
    case 'folded':
      return { state: state.phase === 'fold' ? { ...state, phase: 'closed' } : state, effects: [] };
    case 'stopped':
      return stop(state, event.message);
  }
}

/** A restart is no loss: sites reconnect before any deadline counts; a half-done fold is done again. */
function restart(state: RoundState, rules: RoundRules, now: number): Transition {
  const notBefore = state.phase === 'waiting' ? now : now + rules.resumeMs;
  const next = { ...state, connected: [], departed: [], notBefore, waitingSince: now };
  if (state.phase === 'fold') return { state: next, effects: [{ type: 'fold' }] };
  return settle(next, rules, now);
}

/** One upload more that broke a rule; the attempt goes on without a site that did so too often. */
function strike(state: RoundState, site: number, rules: RoundRules, now: number): Transition {
  if (!isOpen(state) || isStruckOut(state, site)) return { state, effects: [] };
  const next = { ...state, strikes: [...state.strikes, site] };
  if (!isStruckOut(next, site)) return { state: next, effects: [] };
  return refuse(next, { site, code: 'E_UPLOAD_ROOT', lasting: false }, rules, now);
}

function refuse(
  state: RoundState,
  { site, code, lasting }: Omit<Refusal, 'phase'>,
  rules: RoundRules,
  now: number,
): Transition {
  // a site that will never take part may refuse again, with less: the first reason stands
  if (state.refusals.some((r) => r.site === site && r.lasting)) return settle(state, rules, now);
  const refusal = { site, phase: state.phase, code, lasting };
  const refusals = [...state.refusals.filter((r) => r.site !== site), refusal];
  return settle({ ...state, refusals }, rules, now);
}

function breakAttempt(
  state: RoundState,
  event: Extract<RoundEvent, { type: 'broken' }>,
  rules: RoundRules,
  now: number,
): Transition {
  if (!isOpen(state)) return { state, effects: [] };
  // what is wrong with the data would be so in every attempt; what is wrong with an upload or a dealer need not
  const burnt = (!event.lasting || event.dealer !== undefined) && isAnswering(state);
  const again = burnt ? burn(state, rules, now, event) : undefined;
  if (again) return again;
  if (!event.lasting && !isAnswering(state)) return abandon(state, rules, now, event.code, event.message);
  const failed = fail(state, 'FAILED', event.code, event.message);
  return {
    state: failed.state,
    effects: [
      { type: 'abort', attempt: state.attempt, code: event.code, message: event.message },
      ...failed.effects,
    ],
  };
}

function stop(state: RoundState, message: string): Transition {
  const failed = fail(state, 'ABORTED', 'E_RUN_ABORTED', message);
  if (!isOpen(state)) return failed;
  return {
    state: failed.state,
    effects: [{ type: 'abort', attempt: state.attempt, code: 'E_RUN_ABORTED', message }, ...failed.effects],
  };
}
