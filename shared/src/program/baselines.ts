import { enc, sha256, utf8 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import {
  elasticNetBaseline,
  featureCount,
  type FeatureSpecification,
  type LabelledUnits,
  type LinearBaseline,
  type LinearFit,
  type LinearHead,
  linearHeadsBaseline,
  linearHeadsOf,
  logisticBaseline,
  pcaLogisticBaseline,
  ridgeBaseline,
  specificationDigest,
  type SummedRound,
} from '../genomics/index.js';
import type { RunContract } from './contract.js';
import type { ScheduledRound } from './schedule.js';

/** Largest prepared value: the steps of a preparation declare no larger one. */
const LARGEST = 64;

/** Baselines of a plan that need rounds of their own, in its order. */
function summedBaselinesOf({ plan, panel, sites }: RunContract): LinearBaseline[] {
  const { fractionBits, weightCap } = plan.secureAggregation;
  const common = { bound: LARGEST, fractionBits };
  return (plan.evaluation.baselines ?? []).flatMap((baseline): LinearBaseline[] => {
    switch (baseline.name) {
      case 'ridge':
        return [ridgeBaseline({ ...baseline, ...common })];
      case 'logistic':
        return [logisticBaseline({ ...baseline, ...common })];
      case 'linear': {
        const units = sites.length * weightCap;
        return [linearHeadsBaseline(linearHeadsOf(plan), { ...baseline, ...common, units })];
      }
      case 'elastic-net':
        return [elasticNetBaseline({ ...baseline, ...common })];
      case 'pca-logistic': {
        const most = { features: panel.size, units: sites.length * weightCap };
        return [pcaLogisticBaseline({ ...baseline, ...common, most })];
      }
      case 'lone-sites':
        return [];
    }
  });
}

/** What baselines a site scores: fits of secure sums, or what it fits by itself. */
export type BaselineModel =
  | { readonly kind: 'linear'; readonly weights: Float64Array; readonly hasLogits: boolean }
  | { readonly kind: 'heads'; readonly weights: Float64Array; readonly heads: readonly LinearHead[] }
  | { readonly kind: 'lone'; readonly c: number };

/** The fit of one baseline in one arm, and the digests that its rounds start from. */
interface Progress {
  readonly fit: LinearFit;
  /** of each round done and of the next one */
  readonly digests: readonly Uint8Array[];
}

/** The baselines of a run, round by round: their fits follow from the closed sums alone. */
export class BaselineFits {
  readonly list: readonly LinearBaseline[];
  private readonly progress = new Map<string, Progress>();

  /** @param specificationOf feature specification of an arm as fitted so far */
  constructor(
    private readonly contract: RunContract,
    private readonly specificationOf: (arm: number) => FeatureSpecification,
  ) {
    this.list = summedBaselinesOf(contract);
  }

  /** The sum that a round takes; undefined for a round that fits no baseline. @throws E_STATE when there is no such round */
  sum({ baseline, iteration }: ScheduledRound): SummedRound<LabelledUnits, LinearFit> | undefined {
    if (baseline === undefined) return undefined;
    const round = this.baseline(baseline).rounds[iteration];
    if (!round) throw new RegulonError('E_STATE', `the baseline ${baseline} has no round ${iteration}`);
    return round;
  }

  /**
   * The fit of the baseline of a round so far.
   *
   * @param features of a prepared unit; else those of the arm's specification
   * @throws E_STATE for a round that fits none
   */
  fit({ baseline = '', arm }: ScheduledRound, features?: number): LinearFit {
    const known = this.progress.get(keyOf(baseline, arm));
    if (known) return known.fit;
    const classes = this.contract.plan.label?.classes.length ?? 0;
    return this.baseline(baseline).start(features ?? featureCount(this.specificationOf(arm)), classes);
  }

  /** What a round starts from, 32 bytes; undefined for a round that fits no baseline. */
  digest({ baseline, arm, iteration }: ScheduledRound): Uint8Array | undefined {
    if (baseline === undefined) return undefined;
    const known = this.progress.get(keyOf(baseline, arm))?.digests[iteration];
    const features = specificationDigest(this.specificationOf(arm));
    return known ?? sha256(enc(utf8('regulon/baseline/v1'), utf8(baseline), features));
  }

  /** The change that the sum of a round makes; nothing changes before it is called. */
  after(round: ScheduledRound, sums: Float64Array, contributors: number): () => void {
    const { baseline = '', arm } = round;
    const [sum, from] = [this.sum(round), this.digest(round)];
    if (!sum || !from) throw new RegulonError('E_STATE', `round ${round.round} fits no baseline`);
    const fit = sum.fit(this.fit(round), sums, contributors);
    const bytes = new Uint8Array(sums.buffer, sums.byteOffset, sums.byteLength);
    const next = sha256(enc(utf8('regulon/baseline/v1'), from, sha256(bytes)));
    return () => {
      const before = this.progress.get(keyOf(baseline, arm))?.digests ?? [from];
      this.progress.set(keyOf(baseline, arm), { fit, digests: [...before, next] });
    };
  }

  /** What a site scores in an arm, in the order of the plan. @throws E_STATE before all sums are known */
  models(arm: number): BaselineModel[] {
    return (this.contract.plan.evaluation.baselines ?? []).map((baseline): BaselineModel => {
      if (baseline.name === 'lone-sites') return { kind: 'lone', c: baseline.c };
      const { hasLogits } = this.baseline(baseline.name);
      const fit = this.progress.get(keyOf(baseline.name, arm))?.fit;
      if (!fit) throw new RegulonError('E_STATE', `the baseline ${baseline.name} is not fitted`);
      return baseline.name === 'linear'
        ? { kind: 'heads', weights: fit.weights, heads: linearHeadsOf(this.contract.plan) }
        : { kind: 'linear', weights: fit.weights, hasLogits };
    });
  }

  /** How exactly a baseline was fitted, over all arms, for people. */
  note(name: string): string {
    const fits = [...this.progress].filter(([key]) => key.startsWith(`${name} `)).map(([, { fit }]) => fit);
    if (fits.length === 0) return 'each site by itself';
    const searches = fits.flatMap(({ search, headSearches = [] }) => [
      ...(search ? [search] : []),
      ...headSearches,
    ]);
    if (searches.length === 0) return 'exact';
    const gradient = `gradient ${Math.max(...searches.map(({ norm }) => norm)).toExponential(1)}`;
    return searches.every(({ isDone }) => isDone) ? `exact, ${gradient}` : `${gradient}, not at its end`;
  }

  private baseline(name: string): LinearBaseline {
    const found = this.list.find((baseline) => baseline.name === name);
    if (!found) throw new RegulonError('E_STATE', `the plan has no baseline ${name}`);
    return found;
  }
}

const keyOf = (name: string, arm: number): string => `${name} ${arm}`;
