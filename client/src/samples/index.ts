export { type Baseline } from './baseline.js';
export {
  type AttributedOutput,
  type AttributionRequest,
  type Attributions,
  attributeSamples,
} from './attribute.js';
export { type MembershipTest, testMembership } from './membership.js';
export { type Predictions, predictSamples } from './predict.js';
export { type SampleScore, scoreSamples } from './score.js';
export { openModel, type PulledModel } from './pulled-model.js';
