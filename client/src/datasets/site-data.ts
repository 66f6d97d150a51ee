import type { FeatureSpecification, LinearFit } from '@regulon/shared/genomics';
import type {
  Arm,
  BaselineModel,
  BaselineScores,
  RunContract,
  ScheduledRound,
} from '@regulon/shared/program';
import type { ArmData } from '../training/index.js';
import type { UnitSets } from '../unit-sets/index.js';

/** What the daemon knows of its dataset without holding it. */
export interface DatasetDescription {
  /** digest of the ordered panel, 32 bytes, its size, and its names */
  readonly panel: { readonly digest: Uint8Array; readonly size: number; readonly names: readonly string[] };
  /** digest of unit identifiers and values: another version of the data has another one; 32 bytes */
  readonly content: Uint8Array;
  readonly units: number;
  /** SHA-256 of the quality report that the import wrote; null for a file that was not imported */
  readonly qualityReport: Uint8Array | null;
  /** remarks for the site's own people */
  readonly notes: readonly string[];
}

/** Squared errors of the simple forecasts beside a net, with the targets they cover. */
export interface BaselineScore {
  readonly lastValue: number;
  readonly zero: number;
  readonly autoregressive: number;
}

/** One arm of a run at this site. */
export interface ArmRequest {
  readonly contract: RunContract;
  /** roster id of this site */
  readonly siteId: number;
  readonly arm: Arm;
}

/** What units of an arm are for: validation units neither train nor test it. */
export type UnitUse = 'train' | 'validation' | 'test';

/** The local dataset. It is loaded when it is asked for and let go when training needs the memory. */
export interface SiteData {
  describe(): Promise<DatasetDescription>;
  /**
   * Check that the dataset serves a plan: labels, scale, units, also for the blocks that this site owns.
   *
   * @returns most training units of any arm
   * @throws E_LABEL, E_UNITS
   */
  prepare(contract: RunContract, siteId: number): Promise<number>;
  /** Which units stand behind the sums of a plan. @param key secret of this site that never changes, 32 bytes */
  unitSets(contract: RunContract, siteId: number, key: Uint8Array): Promise<UnitSets>;
  /** The vector of a statistics round over the training units of its arm, float64. */
  statistics(
    request: ArmRequest & { round: ScheduledRound; specification: FeatureSpecification },
  ): Promise<Float64Array>;
  /**
   * Write the prepared units of an arm as the files that the trainer reads.
   *
   * @param prefix path and begin of the file names
   * @returns null when this site has no such units
   */
  writeFeatures(
    request: ArmRequest & { use: UnitUse; specification: FeatureSpecification; prefix: string },
  ): Promise<ArmData | null>;
  /** The vector of a round that fits a baseline, over the prepared training units of its arm. */
  baselineSums(
    request: ArmRequest & { round: ScheduledRound; specification: FeatureSpecification; fit: LinearFit },
  ): Promise<Float64Array>;
  /**
   * Scores of baselines on the prepared test units of an arm, in their order.
   *
   * @returns null when this site has no such units
   */
  scoreBaselines(
    request: ArmRequest & { specification: FeatureSpecification; models: readonly BaselineModel[] },
  ): Promise<readonly BaselineScores[] | null>;
  /** Simple forecasts on the test steps of this site's series. */
  baselines(horizon: number): Promise<BaselineScore>;
  /** Give the memory back; the next call loads again. */
  release(): Promise<void>;
  /** Give the memory back and remove the parsed copy on disk. */
  forget(): Promise<void>;
}
