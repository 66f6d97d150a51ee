import { readFile } from 'node:fs/promises';
import { RegulonError } from '@regulon/shared/errors';
import { specificationDigest } from '@regulon/shared/genomics';
import { Purpose, type ScheduledRound } from '@regulon/shared/program';
import { decodeFixed, vectorLength } from '@regulon/shared/secagg';
import { MediaType } from '@regulon/shared/transparency';
import type { WrittenBlob } from '../aggregation/index.js';
import { type Closing, type Extras, writeClose } from './close-entry.js';
import { evidenceOf } from './evidence.js';
import type { RunContext } from './round-context.js';

/**
 * Fold, unmask, apply the server step, and close: after the commit the round has its sum, or nothing has happened.
 *
 * @throws E_DEALER, E_FAULT, E_UNITS, E_COHORT: the run cannot go on
 */
export async function closeRound(closing: Closing): Promise<void> {
  const { services, context, round, attempt } = closing;
  const { program } = context;
  const { server } = attempt;
  const { maskKeys, responders } = server.unmaskKeys();
  const { manifest, u3 } = server;
  const place = { folder: services.blobs.folder, temporary: services.blobs.temporary() };
  const { ringBits } = manifest;
  const spools = u3.map((id) => services.spool.pathOf(attempt.key, id));
  const masks = maskKeys.map(({ key, sign }) => ({ key, sign }));
  const aggregate = await services.aggregator.run({
    kind: 'fold',
    spools,
    masks,
    length: vectorLength(manifest),
    ringBits,
    place,
  });
  services.crashPoint('folded', round.round);
  const path = services.blobs.pathOf(aggregate.digest);
  const integers = await services.aggregator.run({
    kind: 'tail',
    path,
    words: 1 + manifest.extras.length,
    ringBits,
  });
  const extras = program.decodeExtras(round, integers);
  const model = round.purpose === Purpose.train ? await stepModel(closing, path, extras) : null;
  const sums = model
    ? null
    : decodeFixed((await readFile(path)).subarray(0, manifest.d * 8), manifest.fractionBits);
  if (!closing.goesOn()) return;
  program.complete(round, {
    survivors: u3,
    extras,
    ...(model ? { modelHash: model.digest } : {}),
    ...(sums ? { sums } : {}),
  });
  const modelOut = modelOutOf(context, round);
  const { T } = server.transcript({ aggRoot: aggregate.digest, modelHash: modelOut, responders });
  const evidence = await services.log.putAttachment(
    evidenceOf(services.rounds, attempt, responders),
    MediaType.roundEvidence,
  );
  if (!closing.goesOn()) return;
  closing.commit(() =>
    writeClose(closing, { aggregate, model, extras, modelOut, transcript: T, evidence, responders }),
  );
}

/** The next model of an arm, in the worker; a fault is named before anything is derived from a wrong sum. */
async function stepModel(
  { services, context, round, attempt }: Closing,
  aggregate: string,
  extras: Extras,
): Promise<WrittenBlob> {
  const { program } = context;
  if ((extras['fault'] ?? 0) > 0) {
    throw new RegulonError(
      'E_FAULT',
      `round ${round.round} (${round.stepId}): a value exceeded the bound that the plan declares`,
    );
  }
  const { d, Q, C, modelHash } = attempt.server.manifest;
  const place = { folder: services.blobs.folder, temporary: services.blobs.temporary() };
  const model = services.blobs.pathOf(program.model(round.arm) ?? modelHash);
  const job = {
    kind: 'server-step',
    strategy: 'fed-avg',
    model,
    aggregate,
    d,
    Q,
    C,
    weight: extras.weight,
    place,
  } as const;
  const written = await services.aggregator.run(job);
  services.crashPoint('stepped', round.round);
  return written;
}

/** What follows from the sum: the model, the feature specification, or for an evaluation the models it scored. */
function modelOutOf({ program }: RunContext, round: ScheduledRound): Uint8Array {
  if (round.purpose === Purpose.statistics) return specificationDigest(program.specification(round.arm));
  const digest = round.purpose === Purpose.train ? program.model(round.arm) : program.modelHash(round);
  if (!digest) throw new RegulonError('E_INTERNAL', `round ${round.round} closed without a model`);
  return digest;
}
