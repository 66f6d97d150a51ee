import { z } from 'zod';
import { type Inferred, type Place, type Shape } from '../shape.js';
import {
  embeddingSchema,
  featureAttentionSchema,
  inferEmbedding,
  inferFeatureAttention,
  inferPositionEmbedding,
  inferTemporalAttention,
  inferTransformer,
  positionEmbeddingSchema,
  temporalAttentionSchema,
  transformerSchema,
} from './attention.js';
import {
  conv1dSchema,
  conv1dStrandsSchema,
  conv2dSchema,
  depthwiseConv1dSchema,
  inferConv1d,
  inferConv1dStrands,
  inferConv2d,
  inferDepthwiseConv1d,
} from './convolution.js';
import {
  denseSchema,
  gaussianCodeSchema,
  inferDense,
  inferGaussianCode,
  inferTiedDense,
  tiedDenseSchema,
} from './dense.js';
import {
  activationSchema,
  dropoutSchema,
  gaussianNoiseSchema,
  inferElementwise,
  maskingNoiseSchema,
} from './elementwise.js';
import { chebyshevSchema, inferChebyshev } from './graph.js';
import {
  batchNormSchema,
  groupNormSchema,
  inferBatchNorm,
  inferGroupNorm,
  inferLayerNorm,
  layerNormSchema,
} from './normalisation.js';
import {
  globalPoolSchemas,
  inferGlobalPool,
  inferPool1d,
  inferPool2d,
  inferUpsample1d,
  pool1dSchemas,
  pool2dSchemas,
  upsample1dSchema,
} from './pooling.js';
import { inferRecurrent, recurrentSchemas } from './recurrent.js';
import {
  flattenSchema,
  geneGridSchema,
  inferFlatten,
  inferGeneGrid,
  inferReshape,
  inferTokens,
  reshapeSchema,
  tokensSchema,
} from './reshape.js';

/** Every layer of the catalogue; unknown types and unknown keys are refused. */
export const layerSchema = z.discriminatedUnion('type', [
  denseSchema,
  tiedDenseSchema,
  gaussianCodeSchema,
  activationSchema,
  dropoutSchema,
  maskingNoiseSchema,
  gaussianNoiseSchema,
  conv1dSchema,
  depthwiseConv1dSchema,
  conv1dStrandsSchema,
  conv2dSchema,
  ...pool1dSchemas,
  ...pool2dSchemas,
  ...globalPoolSchemas,
  upsample1dSchema,
  flattenSchema,
  reshapeSchema,
  tokensSchema,
  geneGridSchema,
  groupNormSchema,
  layerNormSchema,
  batchNormSchema,
  ...recurrentSchemas,
  temporalAttentionSchema,
  featureAttentionSchema,
  positionEmbeddingSchema,
  transformerSchema,
  embeddingSchema,
  chebyshevSchema,
]);

/** One layer of a declaration. */
export type LayerDeclaration = z.output<typeof layerSchema>;

/** What a layer may need to know beside its input. */
export interface LayerPlace extends Place {
  /** width that `units: outputs` stands for */
  readonly outputs: number;
  /** input width of an earlier dense layer, `<block>/<position>`. @throws E_MODEL_SHAPE */
  readonly widthOf: (layer: string) => number;
}

/** Shapes and weights of one layer. @throws E_MODEL_SHAPE naming the layer, its path and both shapes */
export function inferLayer(layer: LayerDeclaration, shape: Shape, place: LayerPlace): Inferred {
  switch (layer.type) {
    case 'dense':
      return inferDense(layer, shape, place.outputs);
    case 'dense-tied':
      return inferTiedDense(shape, place.widthOf(layer.of));
    case 'gaussian-code':
      return inferGaussianCode(layer, shape);
    case 'activation':
    case 'dropout':
    case 'masking-noise':
    case 'gaussian-noise':
      return inferElementwise(shape);
    case 'conv1d':
      return inferConv1d(layer, shape, place);
    case 'depthwise-conv1d':
      return inferDepthwiseConv1d(layer, shape, place);
    case 'conv1d-strands':
      return inferConv1dStrands(layer, shape, place);
    case 'conv2d':
      return inferConv2d(layer, shape, place);
    case 'max-pool1d':
    case 'average-pool1d':
      return inferPool1d(layer, shape, place);
    case 'max-pool2d':
    case 'average-pool2d':
      return inferPool2d(layer, shape, place);
    case 'global-max-pool':
    case 'global-average-pool':
      return inferGlobalPool(shape, place);
    case 'upsample1d':
      return inferUpsample1d(layer, shape, place);
    case 'flatten':
      return inferFlatten(shape);
    case 'reshape':
      return inferReshape(layer, shape, place);
    case 'tokens':
      return inferTokens(layer, shape, place);
    case 'gene-grid':
      return inferGeneGrid(layer, shape, place);
    case 'group-norm':
      return inferGroupNorm(layer, shape, place);
    case 'layer-norm':
      return inferLayerNorm(shape);
    case 'batch-norm':
      return inferBatchNorm(shape);
    case 'gru':
    case 'gru-v3':
    case 'lstm':
    case 'simple-rnn':
      return inferRecurrent(layer, shape, place);
    case 'temporal-attention':
      return inferTemporalAttention(layer, shape, place);
    case 'feature-attention':
      return inferFeatureAttention(shape);
    case 'position-embedding':
      return inferPositionEmbedding(shape, place);
    case 'transformer':
      return inferTransformer(layer, shape, place);
    case 'embedding':
      return inferEmbedding(layer, shape, place);
    case 'chebyshev':
      return inferChebyshev(layer, shape, place);
  }
}
