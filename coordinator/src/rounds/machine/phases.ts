import { burn, toBurnt } from './burnt.js';
import { invited, isEnough, rulesNow, areThreshold, thinBlockOf, uploaders } from './cohort.js';
import {
  answerPhases,
  type AnswerPhase,
  type RoundEffect,
  type RoundRules,
  type RoundState,
  type Transition,
} from './state.js';

/** Attempts without a byte of a masked vector do not count as spent, but they end somewhere too. */
const UNSPENT_FACTOR = 4;

const stay = (state: RoundState): Transition => ({ state, effects: [] });

/** Go as far as the answers and the clock allow: the one place where a phase ends. */
export function settle(state: RoundState, ofRound: RoundRules, now: number): Transition {
  const rules = rulesNow(ofRound, state);
  switch (state.phase) {
    case 'waiting':
      return settleWaiting(state, rules, now);
    case 'advertise':
      return settleCollecting(state, rules, now, 'u1', withAnswered(rules, state));
    case 'share':
      return settleCollecting(state, rules, now, 'u2', state.u1);
    case 'input':
      return settleCollecting(state, rules, now, 'u3', uploaders(ofRound, state));
    case 'consistency':
    case 'unmask':
      return settleAnswers(state, rules, now);
    case 'burnt':
      return settleBurnt(state, rules, now);
    case 'fold':
    case 'closed':
    case 'failed':
      return stay(state);
  }
}

/** The pool of U1: who advertised stays in it, also when it will take no further part. */
function withAnswered(rules: RoundRules, state: RoundState): number[] {
  const pool = new Set([...invited(rules, state), ...state.answered]);
  return rules.sites.filter((id) => pool.has(id));
}

/** When the clock alone can change this state next, or null. */
export function nextDeadline(state: RoundState, rules: RoundRules): number | null {
  switch (state.phase) {
    case 'waiting':
      return nextOpening(state, rulesNow(rules, state));
    case 'burnt':
      return state.waitingSince + rules.idleLimitMs;
    case 'advertise':
    case 'share':
    case 'input':
    case 'consistency':
    case 'unmask':
      return state.pausedSince === null
        ? Math.max(state.notBefore, state.deadlines[answerPhases.indexOf(state.phase)] ?? 0)
        : null;
    case 'fold':
    case 'closed':
    case 'failed':
      return null;
  }
}

/** When a waiting round may open: at once with everybody who is not gone, later with enough of them, else never. */
function openingTime(state: RoundState, rules: RoundRules): number {
  const pool = invited(rules, state);
  const present = pool.filter((id) => state.connected.includes(id));
  if (!isEnough(rules, 'u1', present, present.length)) return Infinity;
  const everybody = pool.every((id) => present.includes(id) || state.departed.includes(id));
  return Math.max(state.notBefore, state.waitingSince + (everybody ? 0 : rules.gatherMs));
}

function nextOpening(state: RoundState, rules: RoundRules): number {
  return Math.min(openingTime(state, rules), state.waitingSince + rules.idleLimitMs);
}

function settleWaiting(state: RoundState, rules: RoundRules, now: number): Transition {
  const pool = invited(rules, state);
  if (!isEnough(rules, 'u1', pool, pool.length))
    return fail(state, 'FAILED', ...whyTooFew(state, rules, pool));
  const waited = now - state.waitingSince;
  const idle = waited >= rules.idleLimitMs;
  if (!idle && now >= openingTime(state, rules)) return open(state, rules, now);
  if (!idle) return stay(state);
  const missing = pool.filter((id) => !state.connected.includes(id));
  const whom = missing.length > 0 ? `site ${missing.join(', ')}` : 'answers to the first message';
  return fail(
    state,
    'ABORTED',
    'E_DEADLINE',
    `waited ${Math.round(waited / 1000)} s for ${whom}: idle limit reached`,
  );
}

/** A burnt round waits for the administrators, not for ever. */
function settleBurnt(state: RoundState, rules: RoundRules, now: number): Transition {
  if (now < state.waitingSince + rules.idleLimitMs) return stay(state);
  const { code, message } = state.burnt ?? { code: 'E_COHORT', message: 'a burnt round' };
  return fail(state, 'FAILED', code, `${message}; nobody reopened the round within the idle limit`);
}

function open(state: RoundState, rules: RoundRules, now: number): Transition {
  const deadlines = deadlinesFrom(now, rules.stageMs);
  const next: RoundState = {
    ...state,
    phase: 'advertise',
    deadlines,
    notBefore: 0,
    answered: [],
    u1: [],
    u2: [],
    u3: [],
    uploadBegan: false,
    strikes: [],
    unmaskable: false,
    refusals: state.refusals.filter((r) => r.lasting),
    pausedSince: null,
  };
  return { state: next, effects: [{ type: 'open', attempt: state.attempt, deadlines }] };
}

/** Absolute ends of the stages that follow one another from now on. */
function deadlinesFrom(now: number, [r0, r1, r2, r3, r4]: RoundRules['stageMs']): RoundState['deadlines'] {
  const advertise = now + Math.round(r0);
  const share = advertise + Math.round(r1);
  const input = share + Math.round(r2);
  const consistency = input + Math.round(r3);
  return [advertise, share, input, consistency, consistency + Math.round(r4)];
}

function isLate(state: RoundState, now: number): boolean {
  const index = answerPhases.indexOf(state.phase as AnswerPhase);
  return now >= Math.max(state.notBefore, state.deadlines[index] ?? 0);
}

const following = { u1: 'share', u2: 'input', u3: 'consistency' } as const;

/** R0 to R2: the set is fixed when everybody who can still answer has, or at the deadline. */
function settleCollecting(
  state: RoundState,
  rules: RoundRules,
  now: number,
  set: 'u1' | 'u2' | 'u3',
  pool: readonly number[],
): Transition {
  const n = (members: readonly number[]): number => (set === 'u1' ? members.length : state.u1.length);
  const possible = pool.filter(
    (id) => state.answered.includes(id) || !state.refusals.some((r) => r.site === id),
  );
  const answered = pool.filter((id) => state.answered.includes(id));
  const awaited = possible.filter((id) => !state.answered.includes(id) && !state.departed.includes(id));
  const late = isLate(state, now);
  if (isEnough(rules, set, answered, n(answered)) && (awaited.length === 0 || late)) {
    const next: RoundState = { ...state, [set]: answered, phase: following[set], answered: [] };
    return { state: next, effects: [{ type: 'fix', set, members: answered }] };
  }
  if (!late && isEnough(rules, set, possible, n(possible))) return stay(state);
  const missing = pool.filter((id) => !state.answered.includes(id));
  const left = late ? answered : possible;
  return shortage(state, rules, now, missing, thinBlockOf(rules, left, n(left)));
}

function shortage(
  state: RoundState,
  rules: RoundRules,
  now: number,
  missing: readonly number[],
  thin: ReturnType<typeof thinBlockOf>,
): Transition {
  const reasons = state.refusals.map((r) => `site ${r.site} ${r.code}`);
  const why = reasons.length > 0 ? ` (${reasons.join(', ')})` : '';
  const missed = missing.join(', ') || 'none';
  const message = `too few sites at ${state.phase}: missing ${missed}${why}${thinWords(thin)}`;
  return abandon(state, rules, now, 'E_COHORT', message);
}

const thinWords = (thin: ReturnType<typeof thinBlockOf>): string =>
  thin ? `; block ${thin.name} needs ${thin.least} of its owners, ${thin.left} are left` : '';

/** End this attempt; the next one follows unless too many were spent. */
export function abandon(
  state: RoundState,
  rules: RoundRules,
  now: number,
  code: string,
  message: string,
): Transition {
  const abort: RoundEffect = { type: 'abort', attempt: state.attempt, code, message };
  const spent = state.spent + (state.uploadBegan ? 1 : 0);
  const attempt = state.attempt + 1;
  const next: RoundState = {
    // a Reopen is for one attempt
    ...(state.isReopened ? toBurnt(state, now) : toWaiting(state, rules, now)),
    // nobody was bound before U1: the idle limit goes on counting
    waitingSince: state.phase === 'advertise' ? state.waitingSince : now,
    attempt,
    spent,
    uploadBegan: false,
  };
  const unbound = state.phase === 'advertise';
  const tooMany = spent >= rules.maxAttempts || (!unbound && attempt >= rules.maxAttempts * UNSPENT_FACTOR);
  const after = tooMany
    ? fail(next, 'FAILED', code, `${message}; ${attempt} attempts, no more`)
    : settle(next, rules, now);
  return { state: after.state, effects: [abort, ...after.effects] };
}

/** Back to waiting; a pause before the next offer keeps a site that refuses at once from spinning the round. */
function toWaiting(state: RoundState, rules: RoundRules, now: number): RoundState {
  const refusals = state.refusals.filter((r) => r.lasting);
  return {
    ...state,
    phase: 'waiting',
    answered: [],
    refusals,
    pausedSince: null,
    notBefore: now + rules.retryMs,
  };
}

/** R3 and R4: t answers are needed; those who are connected are waited for; a shortage is a pause, never an abort. */
function settleAnswers(state: RoundState, rules: RoundRules, now: number): Transition {
  const awaited = state.u2.filter(
    (id) =>
      state.connected.includes(id) &&
      !state.answered.includes(id) &&
      !state.refusals.some((r) => r.site === id),
  );
  const late = isLate(state, now);
  const refused = state.refusals.filter((r) => state.u2.includes(r.site) && !state.answered.includes(r.site));
  const possible = state.u2.filter((id) => !refused.some((r) => r.site === id));
  if (!areThreshold(rules, state.u1, possible)) return unconfirmed(state, rules, now, refused);
  const confirmed = areThreshold(rules, state.u1, state.answered);
  const enough = confirmed && (state.phase === 'consistency' || state.unmaskable);
  if (enough && (awaited.length === 0 || late)) {
    const next: RoundState = {
      ...state,
      phase: state.phase === 'consistency' ? 'unmask' : 'fold',
      answered: [],
      pausedSince: null,
    };
    return { state: next, effects: [{ type: state.phase === 'consistency' ? 'ask-shares' : 'fold' }] };
  }
  return stay(late && state.pausedSince === null ? { ...state, pausedSince: now } : state);
}

/** So many refuse the survivors that t answers cannot come: before R4 nothing was revealed, after it the round is burnt. */
function unconfirmed(
  state: RoundState,
  rules: RoundRules,
  now: number,
  refused: RoundState['refusals'],
): Transition {
  const code = refused[0]?.code ?? 'E_CONSISTENCY';
  const message = `survivors refused by site ${refused.map((r) => `${r.site} (${r.code})`).join(', ')}`;
  if (state.phase === 'consistency') return abandon(state, rules, now, code, message);
  const burnt = burn(state, rules, now, { code, message });
  if (burnt) return burnt;
  const failed = fail(state, 'FAILED', code, message);
  const abort: RoundEffect = { type: 'abort', attempt: state.attempt, code, message };
  return { state: failed.state, effects: [abort, ...failed.effects] };
}

/** The run ends here. */
export function fail(
  state: RoundState,
  status: 'ABORTED' | 'FAILED',
  code: string,
  message: string,
): Transition {
  const failure = { status, code, message };
  return { state: { ...state, phase: 'failed', failure }, effects: [{ type: 'fail', ...failure }] };
}

function whyTooFew(
  state: RoundState,
  rules: RoundRules,
  pool: readonly number[],
): [code: string, message: string] {
  const refusals = state.refusals.filter((r) => r.lasting);
  const first = refusals[0];
  if (first)
    return [first.code, `refused by site ${refusals.map((r) => `${r.site} (${r.code})`).join(', ')}`];
  const block = thinWords(thinBlockOf(rules, pool, pool.length));
  return ['E_COHORT', `the sites that may take part are fewer than the smallest cohort${block}`];
}
