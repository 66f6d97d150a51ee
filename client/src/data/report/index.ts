export { readReport, writeReport } from './quality-report.js';
