import { z } from 'zod';
import type { Loss, ModelDeclaration } from '../models/index.js';
import { signedText } from './signed-text.js';

/** A class of a label: its name and the rule over the columns of the label table that decides it. */
export const labelClassSchema = z.strictObject({
  name: signedText(64).min(1),
  /** e.g. `Lum and not is_LumA`; see genomics/label-rule */
  rule: signedText(500).min(1),
});

const head = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'the name of a block: lower-case letters, digits and hyphens');
const column = signedText(200).min(1);

/** Bases of a sequence that may have a label each. */
const MOST_BASES = 65_536;

/** What one head of a model learns, from columns of the label table; an empty cell is a missing target of its unit. */
export const targetSchema = z.discriminatedUnion('kind', [
  z.strictObject({ head, kind: z.literal('classes'), classes: z.array(labelClassSchema).min(2).max(64) }),
  /** a number for each output; the model learns (value − center) / scale */
  z.strictObject({
    head,
    kind: z.literal('numbers'),
    columns: z.array(column).min(1).max(4096),
    center: z.number().default(0),
    scale: z.number().positive().default(1),
  }),
  /** `time` until `event`, a rule over the columns, or until observation ended */
  z.strictObject({
    head,
    kind: z.literal('survival'),
    time: column,
    event: signedText(500).min(1),
    /** growing edges of the times by which pairs of patients of two sites are ordered; public runs */
    times: z
      .array(z.number().positive())
      .min(1)
      .max(100)
      .refine((e) => e.every((x, i) => i === 0 || x > (e[i - 1] ?? 0)), 'times grow')
      .optional(),
  }),
  /**
   * a label for every base of a sequence, in the columns `columnsPrefix`1 … `columnsPrefix`length: the number of its class,
   * from 0, or without classes a number
   */
  z.strictObject({
    head,
    kind: z.literal('track'),
    columnsPrefix: column,
    length: z.int().min(1).max(MOST_BASES),
    classes: z.array(signedText(64).min(1)).min(2).max(64).optional(),
  }),
]);

/** Losses over numbers, one by one. */
export const NUMBERS: readonly Loss['type'][] = [
  'squared-error',
  'absolute-error',
  'huber',
  'poisson',
  'binary-cross-entropy',
  'focal',
];

/** Target of one head. */
export type Target = z.infer<typeof targetSchema>;

/** Columns of the label table that hold a track, base by base. */
export const trackColumns = ({ columnsPrefix, length }: Extract<Target, { kind: 'track' }>): string[] =>
  Array.from({ length }, (_, base) => `${columnsPrefix}${base + 1}`);

/** Numbers of one unit's target. */
export function targetWidth(target: Target): number {
  switch (target.kind) {
    case 'classes':
      return 1;
    case 'numbers':
      return target.columns.length;
    case 'survival':
      return 2;
    case 'track':
      return target.length;
  }
}

/** A head's loss with what it learns. */
export interface HeadTarget {
  readonly loss: Loss;
  readonly target: Target;
}

/** The targets of a plan in the order of its model's heads; empty for a task of one target. */
export function headTargets({
  model,
  targets = [],
}: {
  readonly model: ModelDeclaration;
  readonly targets?: readonly Target[] | undefined;
}): HeadTarget[] {
  return (model.heads ?? []).flatMap(({ block, loss }) => {
    const target = targets.find((one) => one.head === block);
    return target ? [{ loss, target }] : [];
  });
}

/**
 * Whether the blocks of a head are averaged by what trained them: its targets, which some units, or all of a site, may lack.
 *
 * FedSGD is pooled descent only by units; a plan that claims privacy releases no count of a round.
 */
export const headsWeigh = ({
  task,
  privacy,
  strategy,
}: {
  readonly task: string;
  readonly privacy?: unknown;
  readonly strategy: string;
}): boolean => task === 'heads' && privacy === undefined && strategy === 'fed-avg';
