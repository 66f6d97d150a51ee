import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { wholeBundle } from '@regulon/shared/transparency';
import { writeStream } from '../files/index.js';

/** Arguments of `regulon audit export`. */
export interface ExportArguments {
  /** asks the coordinator for the bundle (GET /api/v1/log/export), piece by piece */
  readonly fetchPieces: () => AsyncIterable<Uint8Array>;
  /** where to write it */
  readonly out: string;
  /** told that nothing was written when a signal ends this process */
  readonly tell: (line: string) => void;
}

/** The answer of `regulon audit export`. */
export interface ExportOutcome {
  readonly path: string;
  readonly bytes: number;
  /** files in the bundle */
  readonly files: number;
}

/**
 * Fetch the auditor's bundle and write it whole or not at all, as it arrives: none of it is kept in memory.
 *
 * @throws E_BUNDLE if what arrived is no bundle, or a part of one; E_CONNECTION if it broke off; E_ARGUMENT if the file
 * cannot be written; E_DISK_FULL; whatever the coordinator says
 */
export async function exportCommand({ fetchPieces, out, tell }: ExportArguments): Promise<ExportOutcome> {
  let [bytes, files] = [0, 0];
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of fetchPieces()) {
      bytes += piece.length;
      yield piece;
    }
  };
  const whole = wholeBundle(counted(), (count) => (files = count));
  try {
    await writeStream(out, whole, () => tell(`interrupted: ${out} was not written`));
  } catch (error) {
    throw bytes > 0 && isRegulonError(error, 'E_CONNECTION') ? brokenOff(error, out, bytes) : error;
  }
  return { path: out, bytes, files };
}

const brokenOff = (cause: RegulonError, out: string, bytes: number): RegulonError =>
  new RegulonError('E_CONNECTION', `${cause.message} after ${bytes} bytes: ${out} was not written`, {
    cause,
    hint: 'try again; the log of the coordinator says more, for example that it was pruned meanwhile',
  });
