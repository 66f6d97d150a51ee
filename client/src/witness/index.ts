export { LogFollower } from './log-follower.js';
export type { FollowLimits, ReadEntries } from './log-advance.js';
export { SignedGate, type CheckpointGate, type GateRequest } from './checkpoint-gate.js';
export { CompactTree } from './compact-tree.js';
