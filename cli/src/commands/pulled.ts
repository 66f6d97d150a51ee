import type { ModelSpecification } from '@regulon/coordinator/runs';
import { equalBytes, rootOfBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { digestBytes } from '@regulon/shared/transparency';
import type { CoordinatorApi } from '../api-client/index.js';
import { writeWhole } from '../files/index.js';

/**
 * Download a model: its weights into a file, its specification beside it, `FILE.json`.
 *
 * @throws E_DIGEST when the bytes are not the model that was asked for
 */
export async function pullModel(
  api: CoordinatorApi,
  digest: string,
  file: string,
): Promise<{ bytes: number; specification: ModelSpecification }> {
  const { bytes, specification } = await pulledBytes(api, digest);
  writeWhole(`${file}.json`, `${JSON.stringify(specification, null, 2)}\n`);
  writeWhole(file, bytes);
  return { bytes: bytes.length, specification };
}

/** Download a model. @throws E_DIGEST when the bytes are not the model that was asked for */
export async function pulledBytes(
  api: CoordinatorApi,
  digest: string,
): Promise<{ bytes: Uint8Array; specification: ModelSpecification }> {
  const [bytes, specification] = await Promise.all([api.model(digest), api.modelSpecification(digest)]);
  if (equalBytes(rootOfBytes(bytes), digestBytes(digest))) return { bytes, specification };
  throw new RegulonError('E_DIGEST', `the downloaded model is not ${digest}`);
}
