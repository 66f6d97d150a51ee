import { readFile } from 'node:fs/promises';
import { RegulonError } from '@regulon/shared/errors';
import { isRobust } from '@regulon/shared/plan';
import { Purpose, type RoundOutcome } from '@regulon/shared/program';
import { decodeFixed, type Unmasking, vectorLength } from '@regulon/shared/secagg';
import { MediaType } from '@regulon/shared/transparency';
import type { BlobPlace, MaskToRemove, SteppedModel, WrittenBlob } from '../aggregation/index.js';
import { type Closing, type Extras, type Sums, writeClose } from './close-entry.js';
import { evidenceOf } from './evidence.js';
import type { Services } from './ports.js';

/**
 * Fold, unmask, apply the server step, and close: after the commit the round has its sum, or nothing has happened.
 *
 * @throws E_DEALER, E_FAULT, E_UNITS, E_COHORT, E_WORSENED: the run cannot go on
 * @throws E_CEILING, E_OUTLIER: only the administrators can let the round be done again
 */
export async function closeRound(closing: Closing): Promise<void> {
  const { services, context, round, attempt } = closing;
  const { server } = attempt;
  const opened = server.unmaskGroups();
  const responders = opened.flatMap((group) => group.responders);
  const { aggregate, groups } = await foldGroups(closing, opened);
  services.crashPoint('folded', round.round);
  const path = services.blobs.pathOf(aggregate.digest);
  const extras = await extrasOf(closing, path);
  const model =
    round.purpose === Purpose.train ? await stepModel(closing, { aggregate, groups }, extras) : null;
  const result = model ? trained(model) : { sums: await sumsOf(closing, path) };
  const evidence = await services.log.putAttachment(
    evidenceOf(services.rounds, attempt, responders),
    MediaType.roundEvidence,
  );
  if (!closing.goesOn()) return;
  // no await from here on: the program moves on with the rows, and never before them
  const { modelOut, point, validation, finding, advance } = context.program.closing(round, {
    ...{ survivors: server.u3, extras },
    ...result,
  });
  const roots = { aggRoot: aggregate.digest, groupRoots: groups.map(({ digest }) => digest) };
  const transcript = server.transcript(roots, responders, modelOut);
  const close = {
    ...{ aggregate, groups, model, extras, modelOut, point, validation, finding, transcript, evidence },
  };
  closing.commit(() => writeClose(closing, close));
  advance();
}

/** What the program keeps of a training round. */
function trained({ digest, measured }: SteppedModel): Pick<RoundOutcome, 'modelHash' | 'tiles'> {
  return { modelHash: digest, ...(measured.tiles ? { tiles: measured.tiles } : {}) };
}

/** The sums of the groups without their masks, one after the other, and the sum of these. */
async function foldGroups(closing: Closing, opened: readonly Unmasking[]): Promise<Sums> {
  const { services, attempt } = closing;
  const { manifest, groups } = attempt.server;
  const sums: WrittenBlob[] = [];
  for (const [k, { maskKeys }] of opened.entries()) {
    const spools = groups[k]?.u3.map((id) => services.spool.pathOf(attempt.key, id)) ?? [];
    sums.push(await fold(closing, spools, maskKeys));
  }
  const [only] = sums;
  if (manifest.subCohort === 0 && only) return { aggregate: only, groups: [] };
  const paths = sums.map(({ digest }) => services.blobs.pathOf(digest));
  return { aggregate: await fold(closing, paths, []), groups: sums };
}

/** Sum of vectors without its masks, in the worker. */
function fold(
  { services, attempt }: Closing,
  spools: readonly string[],
  maskKeys: readonly MaskToRemove[],
): Promise<WrittenBlob> {
  const { manifest } = attempt.server;
  return services.aggregator.run({
    kind: 'fold',
    spools,
    masks: maskKeys.map(({ key, sign }) => ({ key, sign })),
    length: vectorLength(manifest),
    ringBits: manifest.ringBits,
    place: placeOf(services),
  });
}

const placeOf = ({ blobs }: Services): BlobPlace => ({
  folder: blobs.folder,
  temporary: blobs.temporary(),
});

/** The last words of a sum: weight and extras. @throws E_UNITS, E_COHORT */
async function extrasOf({ services, context, round, attempt }: Closing, path: string): Promise<Extras> {
  const { extras, ringBits } = attempt.server.manifest;
  const words = 1 + extras.length;
  const integers = await services.aggregator.run({ kind: 'tail', path, words, ringBits });
  return context.program.decodeExtras(round, integers);
}

/** The sums of a statistics or evaluation round; they are small. */
async function sumsOf({ attempt }: Closing, path: string): Promise<Float64Array> {
  const { d, fractionBits } = attempt.server.manifest;
  return decodeFixed((await readFile(path)).subarray(0, d * 8), fractionBits);
}

/** The next model of an arm, in the worker; a fault is named before anything is derived from a wrong sum. */
async function stepModel(closing: Closing, sums: Sums, extras: Extras): Promise<SteppedModel> {
  const { services, context, round, attempt } = closing;
  const { program } = context;
  if ((extras['fault'] ?? 0) > 0) {
    throw new RegulonError(
      'E_FAULT',
      `round ${round.round} (${round.stepId}): a value exceeded the bound that the plan declares`,
    );
  }
  const { d, modelHash } = attempt.server.manifest;
  const model = services.blobs.pathOf(program.model(round.arm) ?? modelHash);
  const paths = pathsToCombine(closing, sums);
  const groups = isRobust(program.contract.plan)
    ? await Promise.all(paths.map((path) => extrasOf(closing, path)))
    : [];
  const written = await services.aggregator.run({
    kind: 'server-step',
    strategy: 'fed-avg',
    ...{ model, sums: paths, d },
    terms: program.stepTerms(round.arm, { all: extras, groups, survivors: attempt.server.u3.length }),
    place: placeOf(services),
  });
  services.crashPoint('stepped', round.round);
  return written;
}

/** The sum of all sites, or where the plan compares the groups, the sum of each. */
function pathsToCombine({ services, context }: Closing, { aggregate, groups }: Sums): string[] {
  const sums = isRobust(context.program.contract.plan) ? groups : [aggregate];
  return sums.map(({ digest }) => services.blobs.pathOf(digest));
}
