export { simulateOmics } from './simulate-omics.js';
export { simulateSites } from './simulate-sites.js';
export { simulateSeries } from './simulate-series.js';
export { simulateSequences } from './simulate-sequences.js';
