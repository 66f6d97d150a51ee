import type { CurvePoint, RunProgram, RunResult, ValidationPoint } from '@regulon/shared/program';
import type { OutcomeTable, RunStatus } from '../storage/index.js';

/** What is kept of a run that has ended. */
export interface RunOutcome {
  readonly status: Extract<RunStatus, 'COMPLETED' | 'COMPLETED_PARTIAL' | 'ABORTED' | 'FAILED'>;
  readonly coverage: Coverage;
  readonly result: RunResult | null;
  readonly curve: readonly CurvePoint[];
  readonly validation: readonly ValidationPoint[];
  readonly models: readonly {
    readonly arm: number;
    readonly label: string;
    readonly digest: string;
    readonly parameters: number;
    /** training round of the arm that gave it, from 1; what an older version stored has none */
    readonly trainingRound?: number;
  }[];
}

/** How much of the run covers how many sites. */
export interface Coverage {
  readonly sites: number;
  readonly rounds: number;
  readonly closed: number;
  /** closed rounds in which a site was missing */
  readonly partial: readonly {
    readonly round: number;
    readonly survivors: number;
    readonly missing: readonly number[];
  }[];
  /** one line for people */
  readonly text: string;
}

/** Coverage of the closed rounds. */
export function coverageOf(program: RunProgram, outcomes: readonly OutcomeTable[]): Coverage {
  const sites = program.contract.sites;
  const partial = outcomes.flatMap((row) => {
    const survivors = JSON.parse(row.survivors) as number[];
    const missing = sites.filter((s) => !survivors.includes(s.id)).map((s) => s.id);
    return missing.length === 0 ? [] : [{ round: row.round, survivors: survivors.length, missing }];
  });
  const rounds = program.schedule.length;
  const whole = outcomes.length - partial.length;
  const nameOf = (id: number): string => sites.find((s) => s.id === id)?.name ?? String(id);
  const exceptions = partial.map(
    (p) =>
      `round ${p.round} with ${p.survivors} of ${sites.length} (without ${p.missing.map(nameOf).join(', ')})`,
  );
  const text = [
    `${whole} of ${rounds} rounds with ${sites.length} of ${sites.length} sites`,
    ...exceptions.slice(0, 3),
  ].join(', ');
  const more = exceptions.length > 3 ? `, ${exceptions.length - 3} more with fewer sites` : '';
  return { sites: sites.length, rounds, closed: outcomes.length, partial, text: text + more };
}

/** What a run leaves behind. @param failure why it ended early, or null */
export function outcomeOf(
  program: RunProgram,
  outcomes: readonly OutcomeTable[],
  failure: { readonly status: 'ABORTED' | 'FAILED' } | null,
): RunOutcome {
  const coverage = coverageOf(program, outcomes);
  const models = program.arms.flatMap(({ index, label }) => {
    const digest = program.model(index);
    if (!digest) return [];
    const parameters = program.weightSpecs(index).reduce((n, spec) => n + spec.size, 0);
    const trained = program.schedule[program.modelRound(index) ?? -1];
    const trainingRound = trained ? { trainingRound: trained.iteration + 1 } : {};
    const text = `sha256:${Buffer.from(digest).toString('hex')}`;
    return [{ arm: index, label, digest: text, parameters, ...trainingRound }];
  });
  const status = failure?.status ?? (coverage.partial.length > 0 ? 'COMPLETED_PARTIAL' : 'COMPLETED');
  const validation = [...program.validation.points];
  return { status, coverage, result: program.result(), curve: [...program.curve], validation, models };
}
