export { LogFollower } from './log-follower.js';
export { logSourceOf, type LogSource } from './log-source.js';
export { CompactTree } from './compact-tree.js';
export { type PrunedStart, readPrunedStart } from './pruned-start.js';
export { RosterVersions } from './roster-versions.js';
export { Baselines } from './baselines.js';
export { LogGate, type CheckpointGate } from './checkpoint-gate.js';
export { followedHead } from './followed-head.js';
export { Cosigner, type Cosignature } from './cosigner.js';
