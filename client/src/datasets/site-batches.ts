import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { equalBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  type FeatureSpecification,
  type SitePreparation,
  specificationDigest,
} from '@regulon/shared/genomics';
import { parseStrict } from '@regulon/shared/plan';
import { digestBytes, digestText } from '@regulon/shared/transparency';
import { writeFile } from './arm-files.js';

/** What a site fitted for its batches on the training units of an arm. It MUST stay at the site. */
export interface SiteBatches {
  /** of each batch at its number; null: the site is one batch, number 0 */
  readonly names: readonly string[] | null;
  readonly preparation: SitePreparation;
}

const FLOAT64 = 8;
const numbers = z
  .base64()
  .refine((text) => Buffer.byteLength(text, 'base64') % FLOAT64 === 0, 'float64 numbers in base64');
const schema = z.strictObject({
  schema: z.literal('regulon.site-batches/1'),
  featureSpecification: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'a digest sha256:…'),
  names: z.array(z.string()).nullable(),
  steps: z.array(
    z.strictObject({
      step: z.int().min(0),
      batches: z.array(z.strictObject({ batch: z.int().min(0), shift: numbers, scale: numbers })),
    }),
  ),
});

/** Where the batches of prepared training data lie. @param prefix path and begin of the names of those files */
export const siteBatchesPath = (prefix: string): string => `${prefix}.batches.json`;

/** Write what was fitted, for samples that come after the run. @throws E_DISK_FULL */
export function writeSiteBatches(
  path: string,
  { names, preparation }: SiteBatches,
  specification: FeatureSpecification,
): void {
  const content: z.infer<typeof schema> = {
    schema: 'regulon.site-batches/1',
    featureSpecification: digestText(specificationDigest(specification)),
    names: names && [...names],
    steps: [...preparation].map(([step, batches]) => ({
      step,
      batches: batches.map(({ batch, shift, scale }) => ({
        batch,
        shift: textOf(shift),
        scale: textOf(scale),
      })),
    })),
  };
  writeFile(path, new TextEncoder().encode(`${JSON.stringify(content)}\n`));
}

/**
 * Read what this site fitted for its batches.
 *
 * @throws E_ARGUMENT when the file is missing, or is none; E_DIGEST when it belongs to another preparation
 */
export function readSiteBatches(path: string, specification: FeatureSpecification): SiteBatches {
  const { featureSpecification, names, steps } = parseStrict(schema, jsonOf(path), path, 'E_ARGUMENT');
  if (!equalBytes(digestBytes(featureSpecification), specificationDigest(specification)))
    throw new RegulonError('E_DIGEST', `${path}: fitted in another preparation than that of the model`, {
      hint: 'name the file of the run and arm that the model is of',
    });
  const fitted = steps.map(
    ({ step, batches }) =>
      [
        step,
        batches.map(({ batch, shift, scale }) => ({
          batch,
          shift: numbersOf(shift),
          scale: numbersOf(scale),
        })),
      ] as const,
  );
  return { names, preparation: new Map(fitted) };
}

function jsonOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new RegulonError('E_ARGUMENT', `${path}: no file of batches that can be read`, {
      hint: 'a daemon keeps it when a run ends, in its state folder: site-models/RUN/arm-N.batches.json',
      cause,
    });
  }
}

/** float64 little-endian. */
const textOf = ({ buffer, byteOffset, byteLength }: Float64Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64');

const numbersOf = (text: string): Float64Array =>
  new Float64Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
