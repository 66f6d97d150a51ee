import type { Finding } from '@regulon/shared/genomics';
import { Purpose } from '@regulon/shared/program';

const purposeNames = {
  [Purpose.train]: 'train',
  [Purpose.statistics]: 'statistics',
  [Purpose.evaluation]: 'evaluation',
} as const;

/** What a round is for, as entries and boards call it. */
export const purposeName = (purpose: Purpose): (typeof purposeNames)[Purpose] => purposeNames[purpose];

/** What is shown and kept about a closed round; sums over sites only. */
export interface RoundFacts {
  readonly round: number;
  readonly attempt: number;
  readonly purpose: ReturnType<typeof purposeName>;
  readonly step: string;
  readonly arm: number;
  readonly iteration: number;
  /** from the signed manifest to the close, s */
  readonly seconds: number;
  /** roster ids in the sum */
  readonly survivors: readonly number[];
  /** with sub-cohorts: the groups in their order, and the root of the sum of each, hexadecimal */
  readonly groups?: readonly {
    readonly sites: readonly number[];
    readonly survivors: readonly number[];
    readonly aggregateRoot: string;
    /** where the plan compares the groups: L2 norm of the sum, and the longest of honest sites; above it the group is poisoned */
    readonly norm?: number;
    readonly ceiling?: number;
    /** where the plan tests tiles: those of this group that stand out from the other groups */
    readonly outlyingTiles?: readonly number[];
  }[];
  /** of a training round whose sums are added up: L2 norm of the sum, and the longest of honest sites */
  readonly norm?: number;
  readonly ceiling?: number;
  /** mean loss over the units in the sum: training units, or those of a validation round */
  readonly loss: number | null;
  readonly accuracy: number | null;
  /** units in the sum, where the round counts them */
  readonly units: number | null;
  /** what a statistics round tells the researcher, before anything is trained */
  readonly finding?: Finding;
  /** masked vector and aggregate, bytes */
  readonly bytesUpPerSite: number;
  readonly bytesDownPerSite: number;
  /** s between the persisted steps, in their order */
  readonly stageSeconds: Readonly<Record<string, number>>;
}

const names: Readonly<Record<string, string>> = {
  u1: 'advertise',
  u2: 'share',
  u3: 'input',
  r4: 'consistency',
  unmasked: 'unmask',
  closed: 'fold',
};

/** Seconds of each stage from the times of its persisted steps. */
export function stageSecondsOf(stages: readonly { stage: string; at_ms: number }[]): Record<string, number> {
  const order = ['opened', ...Object.keys(names)];
  const rows = [...stages].sort((a, b) => order.indexOf(a.stage) - order.indexOf(b.stage));
  const seconds: Record<string, number> = {};
  rows.forEach(({ stage, at_ms: at }, i) => {
    const name = names[stage];
    const before = rows[i - 1];
    if (name !== undefined && before) seconds[name] = (at - before.at_ms) / 1000;
  });
  return seconds;
}
