export { LogFollower } from './log-follower.js';
export { LogGate, type CheckpointGate } from './checkpoint-gate.js';
export { Cosigner, type Cosignature } from './cosigner.js';
