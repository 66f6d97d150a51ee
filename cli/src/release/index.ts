export { keysInForce } from './log-keys.js';
export { modelCard } from './model-card.js';
export { fileTerms, readSpecification, releasedFile } from './released-file.js';
export { digestOfRelease, guaranteeLines, releaseLines, reportsOf } from './release-lines.js';
export { type PlacedEntry, releasedRun, type ReleasedRun } from './released-run.js';
export { safetensorsOf } from './safetensors.js';
