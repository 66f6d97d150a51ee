import { z } from 'zod';

const blockName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'a lower-case name of letters, digits and hyphens, at most 32');
const size = (max: number) => z.int().min(1).max(max);
const activation = z.enum(['linear', 'relu', 'tanh', 'sigmoid']).default('linear');
const kernelInit = z.enum(['glorot-uniform', 'he-uniform']).default('glorot-uniform');

/** Last dimension of a layer: a number, or `outputs` for the width that the task asks for (classes, genes, 1). */
const units = z.union([size(1_000_000), z.literal('outputs')]);

const recurrent = {
  units: size(4096),
  /** true: one output a step, shape [steps, units]; false: the last step's state, shape [units] */
  returnSequences: z.boolean().default(false),
};

const layer = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('dense'), units, activation, init: kernelInit }),
  z.strictObject({
    type: z.literal('conv1d'),
    filters: size(4096),
    kernel: size(1024),
    stride: size(1024).default(1),
    activation,
    init: kernelInit,
  }),
  z.strictObject({ type: z.literal('max-pool1d'), size: size(1024) }),
  z.strictObject({ type: z.literal('flatten') }),
  z.strictObject({ type: z.literal('dropout'), rate: z.number().min(0).max(0.95) }),
  z.strictObject({ type: z.literal('gru'), ...recurrent }),
  z.strictObject({ type: z.literal('lstm'), ...recurrent }),
  z.strictObject({ type: z.literal('simple-rnn'), ...recurrent }),
]);

/**
 * What a plan may say about a model: named blocks of catalogue layers, applied in order.
 *
 * A declaration is data; there is no code in it, and unknown keys are refused. The shapes follow from the prepared data
 * (see `manifestOf`), so `flatten` and the widths between layers are never written by hand.
 */
export const modelDeclarationSchema = z.strictObject({
  blocks: z
    .array(z.strictObject({ name: blockName, layers: z.array(layer).min(1).max(64) }))
    .min(1)
    .max(16)
    .refine((b) => new Set(b.map((x) => x.name)).size === b.length, 'block names are unique'),
});

/** A model as a plan declares it, defaults filled in. */
export type ModelDeclaration = z.infer<typeof modelDeclarationSchema>;
/** One layer of a declaration. */
export type LayerDeclaration = ModelDeclaration['blocks'][number]['layers'][number];
/** What a layer applies to its outputs. */
export type Activation = z.infer<typeof activation>;
