export { LogFollower } from './log-follower.js';
export { Baselines } from './baselines.js';
export { LogGate, type CheckpointGate } from './checkpoint-gate.js';
export { followedHead } from './followed-head.js';
export { Cosigner, type Cosignature } from './cosigner.js';
