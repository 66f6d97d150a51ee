import { RegulonError } from '../errors/index.js';
import { type ModelFrame, resolveModel } from '../models/index.js';
import type { Plan } from '../plan/index.js';
import { LETTERS } from '../genomics/index.js';

/** Any number of time steps does: the weights of a model of series do not depend on it, and sites differ in it. */
const SOME_STEPS = 2;
/** What a classifier of series reads of a step and channel: its value, and whether it was observed. */
const SERIES_VALUES = 2;

/** Channels of each series of a plan; 1 where it names none. */
export function seriesChannels({ dataset }: Plan): number {
  return dataset.channels?.length ?? 1;
}

/**
 * Shape of one prepared unit and width of the output, as a plan asks of its model.
 *
 * @param features prepared features of a unit: genes that are kept, channels of a series, four a base for a sequence
 * @throws E_MODEL_SHAPE when a head does not give a label for every base of its track
 */
export function modelFrameOf(plan: Plan, features: number): ModelFrame {
  const frame = {
    inputShape: inputShapeOf(plan, features),
    outputs: outputsOf(plan, features),
  };
  verifyTracks(plan, frame);
  return frame;
}

function verifyTracks({ targets = [], model }: Plan, frame: ModelFrame): void {
  const tracks = targets.flatMap((target) => (target.kind === 'track' ? [target] : []));
  if (tracks.length === 0) return;
  const { heads } = resolveModel(model, frame);
  for (const { head, length } of tracks) {
    const own = heads.find(({ block }) => block === head)?.targetSize;
    if (own === length) continue;
    const rule = `head ${head} labels ${own ?? 0} bases of a sequence of ${frame.inputShape[0] ?? 0}, its track ${length}`;
    const hint = 'the length of a track is that of the sequences, and padding: same keeps every base';
    throw new RegulonError('E_MODEL_SHAPE', rule, { hint });
  }
}

function outputsOf({ task, label }: Plan, features: number): number {
  switch (task) {
    case 'classify':
      return label?.classes.length ?? 0;
    case 'heads':
      return 1; // of a head that does not say
    case 'reconstruct':
    case 'forecast':
      return features;
  }
}

function inputShapeOf({ dataset, task, model }: Plan, features: number): number[] {
  switch (dataset.kind) {
    case 'expression':
      return [features];
    case 'omics':
      return [features + (model.inputs?.length ?? 0)]; // and whether each is there
    case 'series':
      return [SOME_STEPS, task === 'classify' ? SERIES_VALUES * features : features];
    case 'sequences':
      return [features / LETTERS, LETTERS];
  }
}
