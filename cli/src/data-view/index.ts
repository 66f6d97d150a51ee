export { histogramLines } from './histogram-lines.js';
export { inspectionLines } from './inspection-lines.js';
