export { CATALOGUE_VERSION, verifyCatalogue } from './catalogue.js';
export { modelDeclarationSchema, type ModelDeclaration } from './declaration.js';
export { modelFilesOf } from './files.js';
export { CO_EXPRESSION } from './layers/graph.js';
export type { LayerDeclaration } from './layers/index.js';
export { type Mask, type Merge, mergeSchema } from './layers/merge.js';
export type { Activation } from './layers/schema.js';
export { lossSchema, type Loss } from './losses.js';
export type { ResolvedHead } from './heads.js';
export type { ResolvedInput } from './inputs.js';
export type { ModelFrame } from './frame.js';
export { resolveModel } from './resolve.js';
export {
  activationSizeOf,
  type ResolvedBlock,
  type ResolvedLayer,
  type ResolvedMerge,
  type ResolvedModel,
} from './resolved.js';
export { sizeOf, shapeText, type Shape } from './shape.js';
export {
  decays,
  manifestDigest,
  manifestOf,
  parameterCount,
  travellingWeights,
  type WeightSpec,
} from './manifest.js';
export { initialWeights } from './initial-weights.js';
export { KeyedGenerator } from './generator.js';
export {
  patientLevelLayers,
  patientLevelLosses,
  patientLevelMerges,
  patientLevelRule,
} from './patient-level.js';
export { onlyHeads, readBy } from './sources.js';
