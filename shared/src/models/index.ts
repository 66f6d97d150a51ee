export { modelDeclarationSchema, type Activation, type ModelDeclaration } from './declaration.js';
export { resolveLayers, type ModelFrame, type ResolvedLayer } from './shapes.js';
export { manifestDigest, manifestOf, parameterCount, type WeightSpec } from './manifest.js';
export { initialWeights } from './initial-weights.js';
export { KeyedGenerator } from './generator.js';
