import { mkdirSync, openSync, closeSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import nacl from 'tweetnacl';
import { prepareUpdate } from '@regulon/client/update';
import { type FoldJob, WorkerAggregator } from '@regulon/coordinator/aggregation';
import {
  hex,
  publicKeyOf,
  randomBytes,
  sha256,
  signEd25519,
  u32,
  verifyEd25519,
} from '@regulon/shared/crypto';
import { tuneHeapForStreams } from '@regulon/shared/heap';
import { MaskEngine, type MaskKey, vectorLength } from '@regulon/shared/secagg';
import { cpuSecondsOf } from './best-of.js';
import type { BenchOptions } from './main.js';
import { type BenchRow, row } from './report.js';
import { inScratchFolder } from './scratch-folder.js';
import { BenchCohort } from './secagg/cohort.js';

const SITES = 10;
const TRAINING_SECONDS = 30;
const STAGES = ['R0', 'R1', 'R2', 'R3', 'R4'];
const WEIGHT = 0.5;

/** Everything that secure aggregation adds to a round, beside the same vectors without it. */
export function run({ quick, say }: BenchOptions): Promise<BenchRow[]> {
  tuneHeapForStreams('throughput');
  return inScratchFolder(async (folder) => {
    const d = quick ? 2_100_000 : 21_000_000;
    say(`${SITES} sites, ${d / 1e6} M parameters`);
    // the first, short one only warms up
    await bothWays(join(folder, 'short'), 100_000);
    const { cohort, plain } = await bothWays(join(folder, 'round'), d);
    say('signatures of 50 sites');
    const fifty = new BenchCohort(50, 1000);
    const length = vectorLength(fifty.manifest);
    await fifty.run(async (id) => ({ root: sha256(u32(id)), length }));
    return [...roundRows(cohort, plain, quick), ...(await signatureRows(fifty, quick))];
  });
}

/** One round with secure aggregation, and one without. */
async function bothWays(folder: string, d: number): Promise<{ cohort: BenchCohort; plain: BenchCohort }> {
  const round = new RoundFiles(folder, d);
  const [cohort, plain] = [new BenchCohort(SITES, d), new BenchCohort(SITES, d)];
  try {
    await round.runPlain(plain);
    await round.run(cohort);
  } finally {
    await round.close();
  }
  return { cohort, plain };
}

function roundRows(cohort: BenchCohort, plain: BenchCohort, quick: boolean): BenchRow[] {
  const secondsOf = (c: BenchCohort): number => c.medianSite('wall') + c.coordinator.total.wall;
  const shareOf = (c: BenchCohort): number => (100 * secondsOf(c)) / (TRAINING_SECONDS + secondsOf(c));
  const same = 'the same vectors without masks and protocol';
  return [
    row({
      ...{ name: 'site: CPU of R0 to R4 with its vector', value: cohort.medianSite('cpu'), unit: 's' },
      ...{ against: same, reference: plain.medianSite('cpu'), ...(quick ? {} : { atMost: 3 }) },
    }),
    ...STAGES.map((stage) =>
      row({
        name: `site: of that, ${stage}`,
        value: 1000 * cohort.medianSite('cpu', stage),
        unit: 'ms',
        against: '',
      }),
    ),
    row({
      ...{
        name: 'coordinator: CPU of R0 to R4 with the fold',
        value: cohort.coordinator.total.cpu,
        unit: 's',
      },
      ...{ against: same, reference: plain.coordinator.total.cpu },
    }),
    row({
      ...{ name: 'site and coordinator, one after the other', value: secondsOf(cohort), unit: 's' },
      ...{ against: same, reference: secondsOf(plain) },
    }),
    row({
      ...{ name: `share of a round that trains ${TRAINING_SECONDS} s`, value: shareOf(cohort), unit: '%' },
      ...{ against: same, reference: shareOf(plain), atMost: 10 },
    }),
  ];
}

/** How long a site checks the signatures of a cohort of fifty, by node:crypto as the product does and by tweetnacl. */
async function signatureRows(fifty: BenchCohort, quick: boolean): Promise<BenchRow[]> {
  const count = quick ? 40 : 200;
  const seed = randomBytes(32);
  const key = publicKeyOf(seed);
  const signed = Array.from({ length: count }, () => {
    const message = randomBytes(32);
    return { message, sig: signEd25519(seed, message) };
  });
  const milliseconds = async (verify: (s: (typeof signed)[number]) => boolean): Promise<number> => {
    let valid = 0;
    const seconds = await cpuSecondsOf(() => signed.forEach((s) => (valid += Number(verify(s)))));
    if (valid !== count) throw new TypeError('a valid signature was refused');
    return (1000 * seconds) / count;
  };
  const node = await milliseconds(({ message, sig }) => verifyEd25519(key, message, sig));
  const tweet = await milliseconds(({ message, sig }) => nacl.sign.detached.verify(message, sig, key));
  return [
    row({
      ...{ name: 'one signature verified, node:crypto', value: node, unit: 'ms' },
      ...{ against: 'tweetnacl', reference: tweet },
    }),
    row({
      ...{ name: 'site of 50: CPU of R0 to R4, no vector', value: fifty.medianSite('cpu'), unit: 's' },
      ...{ against: 'its 200 signatures by tweetnacl', reference: (200 * tweet) / 1000 },
    }),
  ];
}

/** The vectors of a round as files, as the product writes and folds them. */
class RoundFiles {
  private readonly deltaPath: string;
  private readonly aggregator = new WorkerAggregator();

  constructor(
    private readonly folder: string,
    private readonly d: number,
  ) {
    mkdirSync(join(folder, 'temporary'), { recursive: true });
    this.deltaPath = join(folder, 'delta.f32');
    writeFileSync(
      this.deltaPath,
      Float32Array.from({ length: d }, (_, k) => Math.sin(k) / 100),
    );
  }

  /** The round with secure aggregation; its sum is checked. */
  async run(cohort: BenchCohort): Promise<void> {
    const unmasking = await cohort.run((id, masks) => this.write(cohort, id, masks));
    await this.fold(cohort, unmasking.maskKeys);
  }

  /** The same vectors in clear: what federated averaging by the same code takes. */
  async runPlain(cohort: BenchCohort): Promise<void> {
    for (const { id, watch } of cohort.sites) await watch.time('R2', () => this.write(cohort, id, []));
    await this.fold(cohort, []);
  }

  close(): Promise<void> {
    return this.aggregator.close();
  }

  private write({ manifest }: BenchCohort, id: number, masks: readonly MaskKey[]) {
    return prepareUpdate({
      ...{ manifest, masks, engine: new MaskEngine(), path: join(this.folder, `${id}.ok`) },
      ...{ contribution: { kind: 'update', deltaPath: this.deltaPath }, weight: WEIGHT, extras: {} },
      roundingKey: randomBytes(32),
    });
  }

  private async fold(
    { manifest, sites, coordinator }: BenchCohort,
    masks: readonly MaskKey[],
  ): Promise<void> {
    const job: FoldJob = {
      ...{ kind: 'fold', spools: sites.map(({ id }) => join(this.folder, `${id}.ok`)), masks, ringBits: 32 },
      ...{
        length: vectorLength(manifest),
        place: { folder: this.folder, temporary: join(this.folder, 'temporary') },
      },
    };
    const { digest } = await coordinator.time('fold', () => this.aggregator.run(job));
    this.checkSum(join(this.folder, hex(digest).slice(0, 2), hex(digest)), manifest, sites.length);
  }

  /** Every site sends the same delta: each word of the sum is n times its own, within the n roundings. */
  private checkSum(path: string, { Q, C }: BenchCohort['manifest'], n: number): void {
    const count = Math.min(this.d, 65_536);
    const [sum, delta] = [new Int32Array(count), new Float32Array(count)];
    readInto(path, new Uint8Array(sum.buffer));
    readInto(this.deltaPath, new Uint8Array(delta.buffer));
    const wrong = sum.findIndex((word, k) => Math.abs(word - (((delta[k] ?? 0) * WEIGHT * Q) / C) * n) > n);
    if (wrong >= 0) throw new TypeError(`word ${wrong} of the sum is wrong`);
  }
}

function readInto(path: string, into: Uint8Array): void {
  const file = openSync(path, 'r');
  readSync(file, into);
  closeSync(file);
}
