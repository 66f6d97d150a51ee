export {
  modelDeclarationSchema,
  type Activation,
  type LayerDeclaration,
  type ModelDeclaration,
} from './declaration.js';
export {
  resolveLayers,
  type LayerWeight,
  type ModelFrame,
  type ResolvedLayer,
  type WeightInit,
} from './shapes.js';
export { manifestDigest, manifestOf, parameterCount, type WeightSpec } from './manifest.js';
export { initialWeights, type InitSeed } from './initial-weights.js';
export { KeyedGenerator } from './generator.js';
