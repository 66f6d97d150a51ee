export { guessRows, type RowsGuess } from './guess-rows.js';
export { contradicts, guessScale, type Scale, SCALES } from './guess-scale.js';
export { featureKind, kindsOf } from './identifier-kinds.js';
export { type AxisProfile, type MatrixProfile, Profiler } from './matrix-profile.js';
export { type Histogram, histogramOf } from './histogram.js';
export { type Inspection, inspectionOf } from './inspection.js';
export { holdsWords, inspectLabels, type LabelInspection, looksLikeLabels } from './label-profile.js';
export type { Vocabulary } from './vocabulary.js';
