import { hex } from '@regulon/shared/crypto';
import { emptySpecification, LETTERS } from '@regulon/shared/genomics';
import { manifestOf, parameterCount, travellingWeights } from '@regulon/shared/models';
import { groupsOfPlan, isRobust, type Plan, planHashOf } from '@regulon/shared/plan';
import {
  modelFrameOf,
  Purpose,
  type RunContract,
  RunProgram,
  type ScheduledRound,
  seriesChannels,
  verifyOwnersEnough,
} from '@regulon/shared/program';
import { thresholds } from '@regulon/shared/secagg';
import { groupLines } from './group-lines.js';
import { type Leaving, leavingOf } from './leaving.js';

/** Rounds of one purpose and what each moves. */
export interface RoundsOutline {
  readonly purpose: 'statistics' | 'training' | 'evaluation';
  readonly rounds: number;
  /** bytes that a site uploads, over all these rounds; at most; null when the gene panel decides and is not known */
  readonly bytesUp: number | null;
  /** bytes that a site downloads (the sums), over all these rounds; likewise */
  readonly bytesDown: number | null;
}

/** What follows from a plan before it runs. */
export interface PlanOutline {
  readonly name: string;
  readonly planHash: string;
  readonly task: Plan['task'];
  readonly sites: readonly string[];
  readonly arms: readonly string[];
  /** features of a unit that reach the model; null when the plan does not fix their number */
  readonly features: number | null;
  readonly parameters: number | null;
  readonly rounds: readonly RoundsOutline[];
  /** what these rounds carry, by step */
  readonly leaves: readonly Leaving[];
  /** any so many sites may vanish from a round after they sent their keys */
  readonly mayLose: number;
  /** blocks of the model that only some sites train, and are summed over these alone */
  readonly ownedBlocks: readonly { readonly name: string; readonly owners: readonly string[] }[];
  /** with sub-cohorts: who sees which sums, and what their combination withstands, in words */
  readonly groups: readonly string[];
}

/**
 * What a plan implies: arms, rounds, size of the model, bytes.
 *
 * @param genes size of the gene panel, when known; without it only models behind `top-variance` have a size
 * @throws E_MODEL_SHAPE when the layers do not fit; E_PLAN, E_POLICY, E_RING_BOUND as the coordinator would
 */
export function outlineOf(plan: Plan, genes?: number): PlanOutline {
  const features = featuresOf(plan, genes);
  const program = new RunProgram(contractOfOutline(plan, genes ?? leastPanel(plan, features)));
  verifyOwnersEnough(program.contract);
  const blocks = plan.model.blocks.flatMap(({ name, owners }) => (owners ? [{ name, owners }] : []));
  const parameters =
    features === null
      ? null
      : parameterCount(travellingWeights(manifestOf(plan.model, modelFrameOf(plan, features))));
  const { N, uMin } = program.contract.thresholds;
  const knowsPanel = genes !== undefined || plan.dataset.kind === 'series';
  const bytesOf = roundBytes(program, { parameters, features }, knowsPanel);
  return {
    name: plan.name,
    planHash: `sha256:${hex(planHashOf(plan))}`,
    task: plan.task,
    sites: plan.sites,
    arms: program.arms.map((arm) => arm.label),
    features,
    parameters,
    rounds: roundsOf(program, bytesOf),
    leaves: leavingOf(program, bytesOf),
    mayLose: Math.min(N, ...blocks.map(({ owners }) => owners.length)) - uMin,
    ownedBlocks: blocks,
    groups: groupLines(plan),
  };
}

/** Features of a unit that reach the model; null when the gene panel decides and is not known. */
export function featuresOf(plan: Plan, genes: number | undefined): number | null {
  if (plan.dataset.kind === 'series') return seriesChannels(plan);
  if (plan.dataset.kind === 'omics')
    return (plan.model.inputs ?? []).reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0);
  const projected = plan.prepare.find((step) => step.step === 'pca');
  if (projected) return projected.components;
  if (plan.dataset.kind === 'sequences') return genes ?? trackedOf(plan);
  const selected = plan.prepare.flatMap((step) => chosenBy(step) ?? []);
  if (selected.length === 0) return genes ?? null;
  return Math.min(...selected, genes ?? Infinity);
}

/** Features of sequences with a label for every base; null without. */
function trackedOf({ targets = [] }: Plan): number | null {
  const [length] = targets.flatMap((target) => (target.kind === 'track' ? [target.length] : []));
  return length === undefined ? null : LETTERS * length;
}

/** The smallest panel that a plan can be about. */
function leastPanel({ prepare }: Plan, features: number | null): number {
  const listed = prepare.flatMap((step) => (step.step === 'gene-list' ? (step.genes.at(-1)?.at ?? 0) : []));
  return Math.max(features ?? 1, ...listed);
}

/** Genes that a step leaves at most. */
function chosenBy(step: Plan['prepare'][number]): number | undefined {
  if (step.step === 'gene-list') return step.genes.length;
  return step.step === 'top-variance' ? step.k : undefined;
}

function contractOfOutline(plan: Plan, genes: number): RunContract {
  const N = plan.sites.length;
  const { gamma } = plan.secureAggregation;
  return {
    runId: new Uint8Array(16),
    federationId: 'fed_outline',
    plan,
    planHash: planHashOf(plan),
    rosterHash: new Uint8Array(32),
    members: N,
    quorumRule: 0,
    sites: plan.sites.map((name, i) => ({ id: i + 1, name })),
    panel: {
      digest: new Uint8Array(32),
      size: plan.dataset.kind === 'series' ? seriesChannels(plan) : genes,
    },
    isPublic: true,
    thresholds: thresholds({ N, M: N, n: N, gammaNum: gamma.num, gammaDen: gamma.den, strict: true }),
  };
}

/** Bytes that a site uploads in a round. @param knowsPanel whether the size of the gene panel in the contract is the true one */
function roundBytes(
  program: RunProgram,
  { parameters, features }: Pick<PlanOutline, 'parameters' | 'features'>,
  knowsPanel: boolean,
): (round: ScheduledRound) => number | null {
  const { panel } = program.contract;
  const everything = emptySpecification({ panelDigest: panel.digest, genes: panel.size });
  const lengthOf = (round: ScheduledRound): number | null => {
    if (round.purpose === Purpose.train) return parameters;
    if (round.baseline !== undefined) {
      const sum = program.baselines.sum(round);
      return features === null || !sum ? null : sum.length(program.baselines.fit(round, features));
    }
    if (round.purpose === Purpose.evaluation) return program.vectorLength(round);
    return knowsPanel ? program.step(round).length(everything) : null;
  };
  return (round) => {
    const length = lengthOf(round);
    const word = round.purpose === Purpose.train ? 4 : 8;
    return length === null ? null : word * (length + program.extras(round).length + 1);
  };
}

function roundsOf(program: RunProgram, bytesOf: (round: ScheduledRound) => number | null): RoundsOutline[] {
  const purposes = [
    ['statistics', Purpose.statistics],
    ['training', Purpose.train],
    ['evaluation', Purpose.evaluation],
  ] as const;
  const { plan } = program.contract;
  return purposes.map(([purpose, code]) => {
    const rounds = program.schedule.filter((round) => round.purpose === code);
    const bytes = rounds.reduce<number | null>((sum, round) => {
      const own = bytesOf(round);
      return sum === null || own === null ? null : sum + own;
    }, 0);
    // where the groups are compared, their sums are downloaded and not that of all sites
    const sums = code === Purpose.train && isRobust(plan) ? groupsOfPlan(plan) : 1;
    return {
      purpose,
      rounds: rounds.length,
      bytesUp: bytes,
      bytesDown: bytes === null ? null : sums * bytes,
    };
  });
}
