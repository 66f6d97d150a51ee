import { enc, hex, hkdf, u32, utf8 } from '@regulon/shared/crypto';
import { DiscreteGaussian, RandomWords } from '@regulon/shared/privacy';
import { COUNT_NOISE, headExtrasOf, type RunContract, type ScheduledRound } from '@regulon/shared/program';
import type { LocalFacts } from '../../state/index.js';
import type { ArmData, TrainJob, TrainResult } from '../../training/index.js';

/** The run at this site that trains. */
interface Live {
  readonly run: string;
  readonly contract: RunContract;
  readonly roundingSecret: Uint8Array;
}

/** How the trainer trains a round, by the plan and the secret of this site's run. */
export function trainingOf(
  live: Live,
  round: ScheduledRound,
  site: number,
  data: ArmData,
): Omit<TrainJob, 'weightsPath' | 'deltaPath' | 'data' | 'declaration' | 'inputShape' | 'outputs' | 'task'> {
  const { plan } = live.contract;
  const { optimizer, schedule, rounds, gradientClip, strategy, localEpochs, batchSize } = plan.training;
  const info = enc('regulon/shuffle/v1', u32(plan.seed), u32(site), u32(round.round), u32(round.arm));
  const { privacy } = plan;
  return {
    ...{ epochs: localEpochs, batchSize, optimizer, strategy, round: round.round },
    ...(gradientClip === undefined ? {} : { gradientClip }),
    ...(schedule && { schedule: { shape: schedule, from: round.iteration, span: 1, rounds } }),
    ...(privacy && {
      privacy: {
        steps: privacy.localSteps,
        samplingRate: privacy.samplingRate,
        noiseMultiplier: privacy.noiseMultiplier,
        clipNorm: privacy.clipNorm,
        recordsPerPatient: privacy.recordsPerPatient,
        patients: unitsOf(live, data),
        recordKey: hex(secretOf(live, 'records')),
      },
    }),
    shuffleKey: hex(hkdf(live.roundingSecret, new Uint8Array(32), info, 32)),
  };
}

/**
 * What a site's weight and denominators stand for: its units that train, or with privacy its patients, noised.
 *
 * The noise is drawn once a run: its key is the run's secret of the operating system's generator, kept as long as the run.
 *
 * @returns at least 1, and with privacy at most what the plan's weight cap allows
 */
export function unitsOf(
  live: Live,
  { n, patients = n }: Pick<ArmData, 'n' | 'patients'>,
  result?: Pick<TrainResult, 'count'>,
): number {
  const { privacy, secureAggregation } = live.contract.plan;
  if (!privacy) return result?.count ?? n;
  const noise = new DiscreteGaussian(COUNT_NOISE, new RandomWords(secretOf(live, 'count-noise')));
  return Math.min(secureAggregation.weightCap, Math.max(1, patients + noise.next()));
}

const secretOf = ({ roundingSecret, run }: Live, what: string): Uint8Array =>
  hkdf(roundingSecret, new Uint8Array(32), enc(`regulon/${what}/v1`, utf8(run)), 32);

/** What else goes out with an update: sums of the loss, or with privacy nothing, and what the ledger knows it by. */
export function saidOf(
  { plan }: Pick<RunContract, 'plan'>,
  { count, correct, lossSum, targetCount, deltaSha256, heads = [] }: TrainResult,
): Pick<LocalFacts, 'extras' | 'release'> {
  if (plan.privacy) return { extras: {}, release: deltaSha256 };
  // in units of the mean loss of one unit
  const loss = plan.task === 'classify' || targetCount === 0 ? lossSum : (lossSum / targetCount) * count;
  return { extras: { loss, correct, count, ...headExtrasOf(heads) } };
}
