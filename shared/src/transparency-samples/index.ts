export { SampleFederation } from './sample-federation.js';
export { SampleLog } from './sample-log.js';
export { sampleRun } from './sample-run.js';
export { samplePolicyBytes, type SampleOptions } from './sample-options.js';
