export { LogFollower, type ReadEntries } from './log-follower.js';
export { SignedGate, type CheckpointGate, type GateRequest } from './checkpoint-gate.js';
export { CompactTree } from './compact-tree.js';
