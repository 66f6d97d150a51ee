import type { Plan } from '@regulon/shared/plan';
import { isValidation, Purpose, type RunProgram, type ScheduledRound } from '@regulon/shared/program';

/** One kind of vector that leaves a site, masked, so that only sums over sites can be read. */
export interface Leaving {
  /** id of the step; sums of one baseline that are alike have one */
  readonly step: string;
  /** what is summed, in words */
  readonly object: string;
  readonly times: number;
  /** bytes that a site uploads each time; at most; null when the gene panel decides and is not known */
  readonly bytes: number | null;
}

/** The step under which a round is listed: numbers of equal sums are left out. */
export const listedStep = ({ purpose, step }: { purpose: string; step: string }): string =>
  purpose === 'evaluation' ? step.replace(/-\d+$/, '') : step;

/** What leaves each site, by step, in the order of the rounds. @param bytesOf what one round uploads */
export function leavingOf(program: RunProgram, bytesOf: (round: ScheduledRound) => number | null): Leaving[] {
  const kinds = new Map<string, Leaving>();
  for (const round of program.schedule) {
    const purpose = round.purpose === Purpose.evaluation ? 'evaluation' : '';
    const step = listedStep({ purpose, step: round.stepId });
    const known = kinds.get(step) ?? {
      step,
      object: objectOf(program, round),
      times: 0,
      bytes: bytesOf(round),
    };
    kinds.set(step, { ...known, times: known.times + 1 });
  }
  return [...kinds.values()];
}

function objectOf(program: RunProgram, round: ScheduledRound): string {
  const { plan } = program.contract;
  switch (round.purpose) {
    case Purpose.train:
      return plan.privacy
        ? 'update of the weights, noised by patient'
        : 'update of the weights, with loss and number of units';
    case Purpose.statistics:
      return program.step(round).what;
    case Purpose.evaluation: {
      const sum = program.baselines.sum(round);
      if (sum) return `baseline ${round.baseline}: ${sum.what}`;
      return isValidation(round) ? 'scores of validation units' : evaluationWords(plan);
    }
  }
}

function evaluationWords({ task }: Plan): string {
  if (task === 'heads') return 'of each head: loss, and confusion, errors or ordered pairs of held-out units';
  return task === 'classify' ? 'confusion matrix of held-out units' : 'squared errors of held-out targets';
}
