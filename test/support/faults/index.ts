export { FaultProxy } from './fault-proxy.js';
export { CLEAR_LINE, type LineFaults } from './line-faults.js';
