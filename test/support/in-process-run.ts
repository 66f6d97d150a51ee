import { foldsOf, selectUnits, type UnitsView } from '@regulon/shared/genomics';
import { isRobust, type Roster } from '@regulon/shared/plan';
import {
  contractOf,
  encodeEvaluation,
  Purpose,
  RunProgram,
  type ScheduledRound,
  type SiteScore,
  weightOf,
} from '@regulon/shared/program';
import {
  clipScale,
  type Manifest,
  normSquaredTile,
  quantiseTile,
  Rounding,
  roundingKey,
} from '@regulon/shared/secagg';
import { seedOf } from './federation-keys.js';
import { completeRound, emptyVector, initialWeights, putExtras, sumVector } from './round-vectors.js';
import { secureSum } from './secure-sum.js';

/** One site of an in-process run: its units and how it trains and scores. */
export interface InProcessSite {
  readonly id: number;
  readonly view: UnitsView;
  readonly unitIds: readonly string[];
  /** local training from `weights`; the delta is float32 of the same length */
  train(
    round: ScheduledRound,
    program: RunProgram,
    weights: Float32Array,
  ): Promise<{
    delta: Float32Array;
    count: number;
    lossSum: number;
    correct: number;
    /** of several heads */
    extras?: Readonly<Record<string, number>>;
  }>;
  score(program: RunProgram, models: ReadonlyMap<number, Float32Array>): Promise<SiteScore>;
}

/** A run without network, processes or files: the program, secure aggregation and the update pipeline for real. */
export class InProcessRun {
  readonly program: RunProgram;
  readonly models = new Map<number, Float32Array>();

  constructor(
    private readonly roster: Roster,
    private readonly sites: readonly InProcessSite[],
    setup: { plan: unknown; panelDigest: Uint8Array; genes: number },
  ) {
    const panel = { digest: setup.panelDigest, size: setup.genes };
    this.program = new RunProgram(
      contractOf({ runId: new Uint8Array(16).fill(7), plan: setup.plan, roster, panel, isPublic: true }),
    );
  }

  /** Run the next round. @param lost sites whose upload never arrives */
  async step(lost: readonly number[] = []): Promise<ScheduledRound> {
    const { program } = this;
    const round = program.next();
    if (!round) throw new Error('the run is done');
    const weights = round.purpose === Purpose.train ? this.weightsOf(round.arm) : new Float32Array(0);
    const manifest = program.manifest(round, {
      attempt: 0,
      prevTranscriptHash: new Uint8Array(32),
      deadlines: [1, 2, 3, 4, 5],
    });
    const vectors = new Map<number, Uint8Array>();
    for (const site of this.sites) vectors.set(site.id, await this.vectorOf(site, round, manifest, weights));
    const sum = secureSum(this.roster, manifest, vectors, lost);
    const groups = isRobust(program.contract.plan) ? sum.groups : [];
    completeRound(program, round, { ...sum, groups }, () => weights);
    return round;
  }

  /** @param onRound called after each round */
  async finish(onRound: (round: ScheduledRound) => void = () => undefined): Promise<void> {
    while (this.program.next()) onRound(await this.step());
  }

  private weightsOf(arm: number): Float32Array {
    const weights = this.models.get(arm) ?? initialWeights(this.program, arm);
    this.models.set(arm, weights);
    return weights;
  }

  private async vectorOf(
    site: InProcessSite,
    round: ScheduledRound,
    manifest: Manifest,
    weights: Float32Array,
  ): Promise<Uint8Array> {
    const { program } = this;
    if (round.silent.includes(site.id)) return emptyVector(manifest);
    if (round.purpose !== Purpose.train) {
      const values =
        round.purpose === Purpose.statistics
          ? program.step(round).local(summedUnits(site, round, program), program.specification(round.arm))
          : encodeEvaluation(program.contract, site.id, await site.score(program, this.models));
      return sumVector(program, round, manifest, values);
    }
    const vector = emptyVector(manifest);
    const { delta, count, lossSum, correct, extras: ofHeads } = await site.train(round, program, weights);
    const weight = weightOf(count, manifest.weightCap);
    const { scale, exceeded } = clipScale(weight, normSquaredTile(delta), manifest.C);
    const rounding = new Rounding(
      roundingKey(seedOf(`rounding ${site.id}`), manifest.runId, round.round, round.arm),
    );
    quantiseTile(
      delta,
      { weightScale: scale, C: manifest.C, Q: manifest.Q, rounding },
      new Int32Array(vector.buffer, 0, delta.length),
    );
    const extras = { ...ofHeads, weight, fault: exceeded ? 1 : 0, loss: lossSum, correct, count };
    putExtras(vector, program, round, manifest, extras);
    return vector;
  }
}

/** The units of a site that a statistics round sums over. */
function summedUnits(site: InProcessSite, round: ScheduledRound, program: RunProgram): UnitsView {
  if (program.step(round).over !== 'dataset') return trainingUnits(site, round, program);
  return { ...site.view, folds: siteFolds(site, program) };
}

function siteFolds({ id, unitIds, view }: InProcessSite, program: RunProgram): Int32Array {
  const position = program.contract.sites.findIndex((s) => s.id === id);
  const { unit } = program.contract.plan.dataset;
  return foldsOf(unit, unitIds, view.labels ?? view.strata ?? new Int32Array(view.n), position);
}

/** The units of a site that train an arm. */
export function trainingUnits(site: InProcessSite, round: ScheduledRound, program: RunProgram): UnitsView {
  return unitsWhere(site, program, program.arms[round.arm]?.heldOutFold ?? null, false);
}

/** Units inside or outside a held-out fold; all units when no fold is held out. */
export function unitsWhere(
  site: InProcessSite,
  program: RunProgram,
  fold: number | null,
  heldOut: boolean,
): UnitsView {
  const { view } = site;
  if (fold === null) return view;
  const folds = siteFolds(site, program);
  const rows = [...folds.keys()].filter((row) => (folds[row] === fold) === heldOut);
  return selectUnits(view, rows);
}
