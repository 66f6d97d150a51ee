import type { BenchRow } from '../report.js';
import type { Runner } from './measure.js';
import type { Measurement } from './measurement.js';
import type { ParityModel } from './parity-models.js';

/** Relative difference of losses that two backends may show after the steps of a parity model. */
const LOSS_TOLERANCE = 1e-4;

/** All runs of one runner on one model. */
export interface Measured {
  readonly runner: Runner;
  readonly runs: readonly Measurement[];
}

/** Rows of one model: ms a step, loss, peak memory and first step of each backend beside PyTorch's. */
export function rowsOf(model: ParityModel, measured: readonly Measured[]): BenchRow[] {
  return measured
    .filter(({ runner }) => runner.name !== 'torch')
    .flatMap((ours) => {
      const { threads } = ours.runner;
      const torch = measured.find(({ runner }) => runner.name === 'torch' && runner.threads === threads);
      return backendRows(model, ours, torch);
    });
}

function backendRows(model: ParityModel, ours: Measured, torch: Measured | undefined): BenchRow[] {
  const { name, threads } = ours.runner;
  const who = `${model.id} ${model.title}, ${name}, ${threads} thread${threads > 1 ? 's' : ''}`;
  const against = torch ? `torch ${torch.runs[0]?.version}` : '';
  const limit = name === 'wasm' ? model.goal.wasm : model.goal.blas;
  const compared = (
    what: string,
    unit: string,
    of: (m: Measured) => number,
    atMost: number | undefined,
  ): BenchRow => {
    const value = of(ours);
    const ratio = torch ? value / of(torch) : null;
    const goal = atMost === undefined ? '' : `≤ ${atMost} ×`;
    const ok = ratio === null || atMost === undefined ? null : ratio <= atMost;
    return { name: `${who}: ${what}`, value, unit, against, ratio, goal, ok };
  };
  return [
    compared('fastest step', 'ms a step', fastest, limit),
    compared('median step', 'ms', median, undefined),
    ...(torch ? [lossRow(who, model.steps, ours, torch)] : []),
    compared('peak memory', 'MB', peak, 1),
    compared('start of the process to the end of step 1', 'ms', firstStep, undefined),
  ];
}

function lossRow(who: string, steps: number, ours: Measured, torch: Measured): BenchRow {
  const [value, reference] = [ours.runs[0]?.loss ?? Number.NaN, torch.runs[0]?.loss ?? Number.NaN];
  const difference = Math.abs(value / reference - 1);
  return {
    ...{ name: `${who}: loss of step ${steps}, off torch's ${reference.toPrecision(6)}`, value: difference },
    ...{ unit: 'relative', against: '', ratio: null, goal: `≤ ${LOSS_TOLERANCE}` },
    ok: difference <= LOSS_TOLERANCE,
  };
}

const steps = ({ runs }: Measured): number[] => runs.flatMap((run) => run.steps);
const fastest = (m: Measured): number => Math.min(...steps(m));
const peak = ({ runs }: Measured): number => Math.max(...runs.map((run) => run.peakBytes)) / 1e6;
const firstStep = ({ runs }: Measured): number => Math.min(...runs.map((run) => run.firstStep));

function median(m: Measured): number {
  const sorted = steps(m).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
