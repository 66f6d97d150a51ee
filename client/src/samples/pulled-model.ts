import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { equalBytes } from '@regulon/shared/crypto';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { decodeSpecification, type FeatureSpecification } from '@regulon/shared/genomics';
import { type Plan, parsePlan, parseStrict } from '@regulon/shared/plan';
import { digestBytes } from '@regulon/shared/transparency';
import { rootOfFile } from '../files/index.js';

/** A model of a run as `regulon model pull` writes it. */
export interface PulledModel {
  readonly digest: string;
  /** of which run, and of which of its arms */
  readonly run: string;
  readonly arm: number;
  readonly plan: Plan;
  /** how raw values become inputs; null where nothing is prepared (series, sequences) */
  readonly specification: FeatureSpecification | null;
  /** of the panel that the run agreed on, 32 bytes */
  readonly panelDigest: Uint8Array;
  readonly weightsPath: string;
}

/** Largest description that is read: a specification of 10⁶ genes in base64, and the plan. */
const MAX_BYTES = 1 << 29;

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'a digest sha256:…');
const description = z.looseObject({
  schema: z.literal('regulon.model/1'),
  digest,
  run: z.string().regex(/^run_[0-9a-f]{32}$/, 'a run run_…'),
  arm: z.int().min(0),
  bytes: z.int().min(0),
  plan: z.unknown().optional(),
  featureSpecification: z.string().nullable(),
  panelDigest: digest,
});

/**
 * Open a pulled model: the weights `path`, float32 little-endian, and `path.json` beside them.
 *
 * @throws E_ARGUMENT when a file is missing, or is none; E_DIGEST when the weights are others; E_PLAN for a plan that this
 *   program does not read
 */
export async function openModel(path: string): Promise<PulledModel> {
  const known = parseStrict(description, jsonOf(`${path}.json`), `${path}.json`, 'E_ARGUMENT');
  if (known.plan === undefined) {
    throw new RegulonError('E_ARGUMENT', `${path}.json: does not hold the plan`, { hint: PULL });
  }
  await verifyWeights(path, known);
  const { featureSpecification: encoded } = known;
  return {
    ...{ digest: known.digest, run: known.run, arm: known.arm },
    plan: parsePlan(known.plan),
    specification:
      encoded === null ? null : decodeSpecification(Uint8Array.from(Buffer.from(encoded, 'base64'))),
    panelDigest: digestBytes(known.panelDigest),
    weightsPath: path,
  };
}

const PULL = 'regulon model pull MODEL --out FILE writes FILE and FILE.json';

function jsonOf(path: string): unknown {
  const refuse = (why: string, cause?: unknown): never => {
    throw new RegulonError('E_ARGUMENT', `${path} ${why}`, { hint: PULL, cause });
  };
  try {
    if (statSync(path).size > MAX_BYTES) refuse('is too large');
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    if (isRegulonError(cause)) throw cause;
    return refuse(cause instanceof SyntaxError ? 'is no JSON' : 'cannot be read', cause);
  }
}

/** @throws E_ARGUMENT, E_DIGEST */
async function verifyWeights(
  path: string,
  { bytes, digest }: { readonly bytes: number; readonly digest: string },
): Promise<void> {
  const { size } = statSync(path, { throwIfNoEntry: false }) ?? { size: null };
  if (size === null) throw new RegulonError('E_ARGUMENT', `${path} cannot be read`, { hint: PULL });
  if (size === bytes && equalBytes(await rootOfFile(path, bytes), digestBytes(digest))) return;
  throw new RegulonError('E_DIGEST', `${path} is not the model ${digest} that ${path}.json describes`, {
    hint: 'pull it again',
  });
}
