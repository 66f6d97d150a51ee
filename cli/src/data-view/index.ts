export { histogramLines } from './histogram-lines.js';
export { inspectionLines } from './inspection-lines.js';
export { labelLines } from './label-lines.js';
export { recordLines } from './record-lines.js';
