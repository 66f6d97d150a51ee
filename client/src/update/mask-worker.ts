import { parentPort, workerData } from 'node:worker_threads';
import { wipe } from '@regulon/shared/crypto';
import { isRegulonError } from '@regulon/shared/errors';
import { MaskEngine } from '@regulon/shared/secagg';
import { withDeltaWords } from './delta-words.js';
import type { MaskJob, MaskReply } from './mask-threads.js';
import { maskRange } from './masked-range.js';

/** Mask one range of a vector; its keys are overwritten afterwards. */
async function replyTo({ words, target }: MaskJob): Promise<MaskReply> {
  try {
    const engine = new MaskEngine();
    const leafHashes = await withDeltaWords(words, target.range, (fill) => maskRange(target, fill, engine));
    return { leafHashes };
  } catch (error) {
    // a foreign message may quote the data that it choked on
    if (!isRegulonError(error)) return { systemCode: systemCodeOf(error) };
    return { code: error.code, message: error.message };
  } finally {
    wipe(words.roundingKey, ...target.masks.map(({ key }) => key));
  }
}

function systemCodeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

/** Entry of a worker thread that masks one range, says so and ends. */
parentPort?.postMessage(await replyTo(workerData as MaskJob));
