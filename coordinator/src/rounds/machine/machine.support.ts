import {
  type AnswerPhase,
  newRound,
  type RoundEffect,
  type RoundEvent,
  type RoundRules,
  type RoundState,
  step,
} from './index.js';

/** Rules of a round of `count` sites, a third of which may collude; times are short and in ms. */
export const rulesFor = (count: number, more: Partial<RoundRules> = {}): RoundRules => {
  const sites = Array.from({ length: count }, (_, i) => i + 1);
  return {
    ...{
      sites,
      contributors: sites,
      counted: sites,
      blocks: [],
      M: count,
      gammaNum: 1,
      gammaDen: 3,
      strict: true,
      nMin: 5,
      subCohort: 0,
      leastGroups: 2,
      groups: null,
    },
    ...{ minSurvivors: 0, fullCohort: false, maxAttempts: 3, stageMs: [100, 100, 1000, 100, 100] as const },
    ...{ gatherMs: 50, idleLimitMs: 5000, retryMs: 10, resumeMs: 200 },
    ...more,
  };
};

/** A round with its clock; `effects` collects what it decided. */
export class Play {
  state: RoundState;
  now = 1_000_000;
  readonly effects: RoundEffect[] = [];

  constructor(
    readonly rules: RoundRules,
    connected: readonly number[] = rules.sites,
  ) {
    this.state = newRound(this.now, connected);
  }

  send(...events: RoundEvent[]): this {
    for (const event of events) {
      const { state, effects } = step(this.state, event, this.now, this.rules);
      this.state = JSON.parse(JSON.stringify(state)) as RoundState;
      this.effects.push(...effects);
    }
    return this;
  }

  answer(phase: AnswerPhase, ...sites: number[]): this {
    const enough = phase === 'unmask';
    return this.send(
      ...sites.map((site) => ({ type: 'answered', phase, site, unmaskable: enough }) as const),
    );
  }

  wait(ms: number): this {
    this.now += ms;
    return this.send({ type: 'time' });
  }

  /** Everything up to the end of a phase, with all sites. */
  upTo(phase: AnswerPhase): this {
    this.send({ type: 'begin' });
    const order: AnswerPhase[] = ['advertise', 'share', 'input', 'consistency', 'unmask'];
    for (const p of order.slice(0, order.indexOf(phase) + 1)) this.answer(p, ...this.rules.sites);
    return this;
  }

  get types(): string[] {
    return this.effects.map((e) => (e.type === 'fix' ? e.set : e.type));
  }
}
