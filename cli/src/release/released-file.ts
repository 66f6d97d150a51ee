import type { ModelSpecification } from '@regulon/coordinator/runs';
import { sha256 } from '@regulon/shared/crypto';
import { modelSpecification } from '../api-client/index.js';
import { readJsonFile } from '../files/index.js';
import { digestText, type ReleaseTerms } from '@regulon/shared/transparency';
import { safetensorsOf } from './safetensors.js';

/** The file that is released of a model: its weights, and where they come from. */
export function releasedFile(
  { weights, run, arm, digest, featureSpecification, panelDigest }: ModelSpecification,
  bytes: Uint8Array,
): Uint8Array {
  const metadata = { run, arm: String(arm), model: digest, panel: panelDigest };
  const preparation = featureSpecification === null ? {} : { preparation: featureSpecification };
  return safetensorsOf(weights, bytes, { ...metadata, ...preparation });
}

/** How a release names a file. */
export function fileTerms(file: Uint8Array): ReleaseTerms['file'] {
  return { digest: digestText(sha256(file)), size: file.length };
}

/** The description that `regulon model pull` writes beside the weights. @throws E_ARGUMENT */
export function readSpecification(path: string): ModelSpecification {
  return readJsonFile(path, modelSpecification, 'E_ARGUMENT');
}
