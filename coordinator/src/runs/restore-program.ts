import { readFile } from 'node:fs/promises';
import { Purpose, type RunContract, RunProgram } from '@regulon/shared/program';
import { decodeFixed } from '@regulon/shared/secagg';
import { RegulonError } from '@regulon/shared/errors';
import type { Services } from '../rounds/index.js';

/**
 * The program of a run after its closed rounds, replayed from their stored sums.
 *
 * @throws E_STATE_DB when a sum is missing or gives something else than the log says
 */
export async function restoreProgram(services: Services, contract: RunContract): Promise<RunProgram> {
  const program = new RunProgram(contract);
  for (const row of services.rounds.outcomes(contract.runId)) {
    const round = program.next();
    if (round?.round !== row.round)
      throw new RegulonError('E_STATE_DB', `round ${row.round} is stored out of order`);
    const path = services.blobs.pathOf(row.aggregate_root);
    if (!services.blobs.has(row.aggregate_root))
      throw new RegulonError('E_STATE_DB', `the sum of round ${row.round} is missing`);
    const ringBits = round.purpose === Purpose.train ? 32 : 64;
    const words = 1 + program.extras(round).length;
    const extras = program.decodeExtras(
      round,
      await services.aggregator.run({ kind: 'tail', path, words, ringBits }),
    );
    const survivors = JSON.parse(row.survivors) as number[];
    if (round.purpose === Purpose.train) {
      program.complete(round, {
        survivors,
        extras,
        ...(row.model_hash ? { modelHash: new Uint8Array(row.model_hash) } : {}),
        ...(row.tiles === null ? {} : { tiles: JSON.parse(row.tiles) as number[] }),
      });
    } else {
      const bytes = await readFile(path);
      const sums = decodeFixed(bytes.subarray(0, bytes.length - words * 8), program.fractionBits(round));
      program.complete(round, { survivors, extras, sums });
    }
  }
  return program;
}
