export { simulateLandmarks } from './simulate-landmarks.js';
export { simulateOmics } from './simulate-omics.js';
export { simulateSites } from './simulate-sites.js';
export { simulateSeries } from './simulate-series.js';
export { simulateCoding } from './simulate-coding.js';
export { simulateSequences } from './simulate-sequences.js';
