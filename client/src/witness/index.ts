export { LogFollower } from './log-follower.js';
export { SignedGate, type CheckpointGate } from './checkpoint-gate.js';
