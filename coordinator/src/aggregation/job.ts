import type { WeightSpec } from '@regulon/shared/models';
import type { MeasuredSums, StepTerms } from '@regulon/shared/program';
import type { TileRange } from '@regulon/shared/secagg';

/** A mask to remove from the folded sum. */
export interface MaskToRemove {
  /** 32 bytes */
  readonly key: Uint8Array;
  /** added with this sign while unmasking */
  readonly sign: 1 | -1;
}

/** Where a job puts its file: written under a temporary name in `temporary`, renamed to its content address. */
export interface BlobPlace {
  readonly folder: string;
  readonly temporary: string;
}

/** Write the initial weights of an arm, float32 little-endian in manifest order. */
export interface InitialModelJob {
  readonly kind: 'initial-model';
  readonly specs: readonly WeightSpec[];
  readonly seed: number;
  readonly arm: number;
  readonly place: BlobPlace;
}

/** Sum masked vectors and remove the masks. */
export interface FoldJob {
  readonly kind: 'fold';
  /** files of equal length: words little-endian */
  readonly spools: readonly string[];
  readonly masks: readonly MaskToRemove[];
  /** words of a vector, extras included */
  readonly length: number;
  readonly ringBits: 32 | 64;
  readonly place: BlobPlace;
}

/** The part of a fold that one thread does: writes its bytes of the sum at their place in a file. */
export interface FoldRangeJob extends Omit<FoldJob, 'kind' | 'place'> {
  readonly kind: 'fold-range';
  readonly range: TileRange;
  /** made when it is not there */
  readonly output: string;
}

/** Give a written file the name of its digest; durable afterwards. */
export interface PublishJob {
  readonly kind: 'publish';
  readonly path: string;
  /** leaf hashes of the whole file, in order */
  readonly leafHashes: readonly Uint8Array[];
  readonly place: BlobPlace;
}

/** Apply the server step to a model file. */
export interface ServerStepJob {
  readonly kind: 'server-step';
  readonly strategy: 'fed-avg';
  readonly model: string;
  /** files of the sum of all sites, or of a robust rule of those of the groups in their order */
  readonly sums: readonly string[];
  /** parameters */
  readonly d: number;
  readonly terms: StepTerms;
  readonly place: BlobPlace;
}

/** Open some 64 KiB pieces of each file with their Merkle paths. */
export interface SpotJob {
  readonly kind: 'spot';
  readonly paths: readonly string[];
  readonly tiles: readonly number[];
}

/** Read some words at the end of a file. */
export interface TailJob {
  readonly kind: 'tail';
  readonly path: string;
  readonly words: number;
  readonly ringBits: 32 | 64;
}

/** Work beside the event loop. */
export type Job = InitialModelJob | FoldJob | FoldRangeJob | PublishJob | ServerStepJob | SpotJob | TailJob;

/** A written blob. */
export interface WrittenBlob {
  /** Merkle root over its 64 KiB pieces, 32 bytes */
  readonly digest: Uint8Array;
  readonly size: number;
}

/** A model that followed from sums. */
export interface SteppedModel extends WrittenBlob {
  readonly measured: MeasuredSums;
}

/** A 64 KiB piece of a file with its Merkle path. */
export interface OpenedTile {
  readonly tile: Uint8Array;
  /** nearest sibling first */
  readonly path: readonly Uint8Array[];
}

/** What a job gives, by its kind. */
export interface ResultOf {
  'initial-model': WrittenBlob;
  fold: WrittenBlob;
  /** leaf hashes of the range */
  'fold-range': readonly Uint8Array[];
  publish: WrittenBlob;
  'server-step': SteppedModel;
  /** by tile, then by file */
  spot: readonly (readonly OpenedTile[])[];
  /** signed integers */
  tail: readonly number[];
}

/** Runs jobs beside the event loop; one at a time, in order. */
export interface Aggregator {
  run<J extends Job>(job: J): Promise<ResultOf[J['kind']]>;
  close(): Promise<void>;
}
