export { writeReport } from './quality-report.js';
