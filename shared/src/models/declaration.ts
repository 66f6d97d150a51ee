import { z } from 'zod';
import { CATALOGUE_VERSION } from './catalogue.js';
import { layerSchema } from './layers/index.js';
import { mergeSchema } from './layers/merge.js';
import { size } from './layers/schema.js';
import { lossSchema } from './losses.js';

const unique = (names: readonly string[]): boolean => new Set(names).size === names.length;

const blockName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'a lower-case name of letters, digits and hyphens, at most 32');

const siteName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens, at most 63');

/**
 * One part of a unit's row: an omic, a sequence, a covariate.
 *
 * After its values stands what is known of them: `unit` one number, 1 if the unit has them and 0 if not; `steps` one
 * number a step, 1 or 0 where the sequence is padded.
 */
const input = z.strictObject({
  name: blockName,
  shape: z.array(size(10_000_000)).min(1).max(3),
  mask: z.enum(['none', 'unit', 'steps']).default('none'),
});

const block = z
  .strictObject({
    name: blockName,
    /** blocks or inputs that it reads; the block before it if not said, the only input for the first */
    from: z.union([blockName, z.array(blockName).min(1).max(16)]).optional(),
    /** how several sources are put together */
    merge: mergeSchema.optional(),
    layers: z.array(layerSchema).max(64),
    /** weights stay as they are, bit for bit */
    freeze: z.boolean().default(false),
    /** factor of the learning rate */
    rate: z.number().positive().max(100).default(1),
    /**
     * `sum`: averaged over all contributors; `owners`: over the sites that train it, by their units; `local`: weights and
     * statistics never leave their site
     */
    aggregate: z.enum(['sum', 'owners', 'local']).default('sum'),
    /** the sites that train this block, by name */
    owners: z
      .array(siteName)
      .min(1)
      .max(255)
      .refine((names) => unique(names), 'each owner is named once')
      .optional(),
    /**
     * what the sum of the owners' weighted updates is divided by: about the sum of their n / weightCap. Declared, as the
     * true one, beside that of all sites, would tell how many units the others have
     */
    denominator: z.number().positive().max(255).optional(),
  })
  .refine(
    ({ aggregate, owners }) => (aggregate === 'owners') === (owners !== undefined),
    'owners are named exactly where aggregate is owners',
  )
  .refine(
    ({ owners, denominator }) => (owners === undefined) === (denominator === undefined),
    'a denominator is declared exactly where owners are named',
  );

const head = z.strictObject({
  block: blockName,
  /** width that `units: outputs` stands for in this block; that of the task if not said */
  outputs: size(10_000_000).optional(),
  loss: lossSchema,
  /** factor of its loss beside other heads */
  weight: z.number().positive().max(1e6).default(1),
});

/** Name of the input of a model that declares none. */
export const FEATURES = 'features';

/**
 * What a plan may say about a model: named blocks of catalogue layers.
 *
 * A declaration is data; there is no code in it, and unknown keys are refused. Shapes follow from the prepared data
 * (see `manifestOf`), so the widths between layers are never written by hand. Without `inputs` and `heads` there is one
 * of each: the prepared features, and the last block with the loss of the task.
 */
export const modelDeclarationSchema = z
  .strictObject({
    /** version of the layers and losses that it is written for */
    catalogue: z.int().min(1).max(CATALOGUE_VERSION).default(CATALOGUE_VERSION),
    inputs: z.array(input).min(1).max(16).optional(),
    blocks: z
      .array(block)
      .min(1)
      .max(32)
      .refine((b) => unique(b.map((x) => x.name)), 'block names are unique'),
    heads: z
      .array(head)
      .min(1)
      .max(16)
      .refine((h) => unique(h.map((x) => x.block)), 'one head a block')
      .optional(),
  })
  .refine(
    ({ inputs = [{ name: FEATURES }], blocks }) => unique([...inputs, ...blocks].map((x) => x.name)),
    `inputs and blocks have different names; the only input is called ${FEATURES} where none is declared`,
  );

/** A model as a plan declares it, defaults filled in. */
export type ModelDeclaration = z.infer<typeof modelDeclarationSchema>;
/** One block of a declaration. */
export type BlockDeclaration = ModelDeclaration['blocks'][number];
