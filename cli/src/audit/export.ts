import { readBundle } from '@regulon/shared/transparency';
import { writeWhole } from '../files/index.js';

/** Arguments of `regulon audit export`. */
export interface ExportArguments {
  /** asks the coordinator for the bundle (GET /api/v1/log/export) */
  readonly fetchBundle: () => Promise<Uint8Array>;
  /** where to write it */
  readonly out: string;
}

/** The answer of `regulon audit export`. */
export interface ExportOutcome {
  readonly path: string;
  readonly bytes: number;
  /** files in the bundle */
  readonly files: number;
}

/**
 * Fetch the auditor's bundle and write it whole or not at all.
 *
 * @throws E_BUNDLE if what arrived is no bundle; E_ARGUMENT if the file cannot be written; whatever the coordinator says
 */
export async function exportCommand({ fetchBundle, out }: ExportArguments): Promise<ExportOutcome> {
  const bundle = await fetchBundle();
  const { files } = readBundle(bundle);
  writeWhole(out, bundle);
  return { path: out, bytes: bundle.length, files: files.size };
}
