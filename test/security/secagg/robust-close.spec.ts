import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { equalBytes, hex, rootOfBytes, sha256, utf8 } from '@regulon/shared/crypto';
import { contractOf, Purpose, RunProgram, rosterViewOf } from '@regulon/shared/program';
import {
  ctxOf,
  encodeManifest,
  encodeMessage,
  type Manifest,
  MaskEngine,
  signManifest,
  signTranscript,
} from '@regulon/shared/secagg';
import type { Query } from '@regulon/shared/wire';
import type { OutcomeRow } from '@regulon/client/state';
import { closeRound } from '../../../client/src/rounds/run/closing.js';
import { ModelFiles } from '../../../client/src/rounds/run/model-files.js';
import type { RunSession } from '../../../client/src/rounds/run/run-session.js';
import { temporaryFolder } from '../../../client/src/state/temporary-folder.support.js';
import { seedOf, testRoster } from '../../support/federation-keys.js';
import {
  bytesOf,
  completeRound,
  emptyVector,
  initialWeights,
  putExtras,
} from '../../support/round-vectors.js';
import { toyPlan } from '../../support/toy-plan.js';
import { refused } from '../support/refused.js';

const names = Array.from({ length: 15 }, (_, i) => `s${i + 1}`);
const ids = names.map((_, i) => i + 1);
const none = { num: 0, den: 1 };
const roster = testRoster(names, { gamma: none });
const coordinatorSeed = seedOf('coordinator');
const zeros = new Uint8Array(32);

/** A run whose plan takes the median of three groups, before its first training round. */
function begun(): RunProgram {
  const plan = toyPlan(names, {
    ...{ prepare: [], training: { rounds: 1, optimizer: { name: 'adam' } } },
    secureAggregation: { weightCap: 128, gamma: none, subCohort: 5, combine: 'median' },
  });
  const panel = { digest: sha256(), size: 12 };
  const runId = new Uint8Array(16).fill(7);
  const program = new RunProgram(contractOf({ runId, plan, roster, panel, isPublic: true }));
  for (let next = program.next(); next?.purpose === Purpose.statistics; next = program.next()) {
    const sums = new Float64Array(program.vectorLength(next)).fill(100);
    program.complete(next, { survivors: ids, extras: { fault: 0 }, sums });
  }
  return program;
}

/** What the coordinator shows of the close of the round. */
interface Shown {
  readonly aggregate: Uint8Array;
  readonly groups: readonly Uint8Array[];
  /** digest that it announces */
  readonly model: Uint8Array;
}

const engine = new MaskEngine();
const added = (groups: readonly Uint8Array[]): Uint8Array => {
  const total = new Uint8Array(groups[0]?.length ?? 0);
  for (const group of groups) engine.addTile(total, group, 32);
  return total;
};

/** Sums of three groups: two that agree, and a poisoned one. */
function sumsOf(program: RunProgram, manifest: Manifest): Uint8Array[] {
  const round = program.next();
  if (!round) throw new TypeError('no round');
  return [3, 5, 9000].map((value) => {
    const vector = emptyVector(manifest);
    new Int32Array(vector.buffer, 0, manifest.d).fill(value * 1000);
    putExtras(vector, program, round, manifest, { weight: 1.5, fault: 0, loss: 3, correct: 2, count: 190 });
    return vector;
  });
}

/** Close the first training round at a site, as a coordinator shows it. @returns what the site stored */
async function closed(
  show: (honest: Shown, combined: (groups: readonly Uint8Array[]) => Uint8Array) => Shown,
) {
  const program = begun();
  const initial = initialWeights(program, 0);
  const round = program.next();
  if (!round) throw new TypeError('no round');
  const open = { attempt: 0, prevTranscriptHash: zeros, deadlines: [1, 2, 3, 4, 5] as Manifest['deadlines'] };
  const manifest = program.manifest(round, open);
  const combined = (groups: readonly Uint8Array[]): Uint8Array => {
    const again = begun();
    const weights = initialWeights(again, 0);
    return (
      completeRound(again, round, { words: added(groups), groups, survivors: ids }, () => weights) ?? zeros
    );
  };
  const groups = sumsOf(program, manifest);
  const shown = show({ aggregate: added(groups), groups, model: combined(groups) }, combined);
  const blobs = [shown.aggregate, ...shown.groups];
  const transcript = sha256(utf8('T'));
  const answers: Partial<Record<Query['type'], object[]>> = {
    manifest: [
      { manifest: encodeManifest(manifest), signature: signManifest(coordinatorSeed, manifest), attempt: 0 },
    ],
    closed: [
      {
        ...{ type: 'closed', attempt: 0, outcome: 'closed', transcript, modelHash: shown.model },
        ...{
          aggregateRoot: rootOfBytes(shown.aggregate),
          groupRoots: shown.groups.map((sum) => rootOfBytes(sum)),
        },
        signature: signTranscript(coordinatorSeed, ctxOf(manifest), 'CLOSE', transcript),
      },
    ],
    survivors: ids.map((id) => ({
      message: encodeMessage('survivor', { id, root: zeros, sig: new Uint8Array(64) }),
    })),
  };
  const folder = join(temporaryFolder('robust'), 'run');
  mkdirSync(folder);
  const models = new ModelFiles(folder);
  writeFileSync(models.path(0, null), bytesOf(initial));
  const stored: OutcomeRow[] = [];
  const link = {
    fetch: async ({ type }: Query) => answers[type] ?? [],
    download: async ({ digest, path }: { digest: Uint8Array; path: string }) => {
      const blob = blobs.find((bytes) => equalBytes(rootOfBytes(bytes), digest));
      writeFileSync(path, blob ?? new Uint8Array());
    },
  };
  const session = {
    ...{ run: 'run', runId: manifest.runId, folder, engine, models, program, lastTranscript: zeros },
    agreement: { contract: program.contract, uncounted: [] },
    site: { link, federation: { rosterView: rosterViewOf(roster) }, attempts: { find: () => undefined } },
    modelPath: () => models.path(0, null),
    record: (_: unknown, outcome: OutcomeRow) => void stored.push(outcome),
    audits: { add: () => undefined },
    ensureModel: async () => undefined,
  } as unknown as RunSession;
  await closeRound(session, round);
  return stored;
}

describe('the close of a round whose groups are compared', () => {
  it('is derived from the sums of the groups, and their roots are remembered for the log', async () => {
    const [outcome] = await closed((honest) => honest);
    expect(outcome?.groupRoots).toHaveLength(3);
    const [other] = await closed(({ groups, ...honest }) => ({ ...honest, groups: [...groups].reverse() }));
    expect(other?.modelHash).toEqual(outcome?.modelHash);
    expect(other?.groupRoots?.map(hex)).toEqual(outcome?.groupRoots?.map(hex).reverse());
  });

  it('is refused when the coordinator adds the sums up in place of comparing them', async () => {
    const mean = (honest: Shown, combined: (groups: readonly Uint8Array[]) => Uint8Array): Shown => ({
      ...honest,
      model: combined([honest.aggregate, honest.aggregate, honest.aggregate]),
    });
    await expect(closed(mean)).rejects.toThrow(refused('E_MODEL', /does not follow from the sum/));
  });

  it('is refused when the sum of a group is another, though its model follows from it', async () => {
    const swapped = (
      { aggregate, groups }: Shown,
      combined: (groups: readonly Uint8Array[]) => Uint8Array,
    ): Shown => {
      const [first = aggregate, , third = aggregate] = groups;
      const other = [first, third, third];
      return { aggregate, groups: other, model: combined(other) };
    };
    await expect(closed(swapped)).rejects.toThrow(refused('E_MODEL', /do not add up/));
  });

  it('is refused when fewer groups are shown than the rule can tell apart', async () => {
    const merged = ({ aggregate, groups: [first = aggregate, ...others], model }: Shown): Shown => ({
      ...{ aggregate, model },
      groups: [first, added(others)],
    });
    await expect(closed(merged)).rejects.toThrow(refused('E_POLICY', /2 groups are too few/));
    await expect(closed(({ aggregate, model }) => ({ aggregate, model, groups: [] }))).rejects.toThrow(
      refused('E_MODEL', /do not add up/),
    );
  });
});
