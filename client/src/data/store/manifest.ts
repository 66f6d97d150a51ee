import { z } from 'zod';
import { IDENTIFIER_KINDS } from '@regulon/shared/genomics';
import { SCALES } from '../profile/guess-scale.js';

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'SHA-256 in hexadecimal');
const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const span = z.tuple([count, count]);

/** How the numbers of a block are written, little-endian. */
export const DTYPES = ['u8', 'u16', 'u32', 'f32', 'f64'] as const;
export type Dtype = (typeof DTYPES)[number];

const block = z.strictObject({
  /** [first, end) of the genes and of the units */
  genes: span,
  units: span,
  dtype: z.enum(DTYPES),
  /** where the packed bytes lie in values.bin */
  offset: count,
  bytes: count,
  sha256: digest,
});

/** What lies in a store; every other file is named here with its digest. */
export const manifestSchema = z.strictObject({
  schema: z.literal('regulon.store/1'),
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens, at most 63'),
  source: z.strictObject({
    file: z.string().min(1).max(255),
    bytes: count,
    sha256: digest.nullable(),
    format: z.string().max(200),
  }),
  imported: z.iso.datetime(),
  scale: z.enum(SCALES),
  /** genes of the panel */
  genes: z.int().min(1).max(10_000_000),
  /** genes in values.bin, where the panel is another list than that of the file */
  stored: z.int().min(1).max(10_000_000).optional(),
  units: z.int().min(1).max(10_000_000),
  missing: count,
  /** digest of the ordered gene panel */
  panel: digest,
  /** the gene table that the identifiers of the panel were taken from; absent: names as the file has them */
  identifiers: z
    .strictObject({
      kind: z.enum(IDENTIFIER_KINDS),
      source: z.string().min(1).max(100),
      release: z.string().min(1).max(100),
      sha256: digest,
    })
    .optional(),
  /** column of the units' table that names the patient of each unit */
  patientColumn: z.string().min(1).max(200).nullable(),
  files: z.strictObject({ 'genes.json': digest, 'units.json': digest }),
  blocks: z.array(block).min(1).max(1_000_000),
});
export type StoreManifest = z.infer<typeof manifestSchema>;
export type StoreBlock = StoreManifest['blocks'][number];

const cell = z.union([z.string().max(10_000), z.number(), z.null()]);
/** Names of an axis in order, and its annotations. */
export const axisSchema = z.strictObject({
  names: z.array(z.string().min(1)),
  columns: z.record(z.string(), z.array(cell)),
  /** place of each gene of the panel in values.bin, −1 where the file lacks it; absent: as it stands */
  rows: z.array(z.int().min(-1)).optional(),
});
export type StoreAxis = z.infer<typeof axisSchema>;
