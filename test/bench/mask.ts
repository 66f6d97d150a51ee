import { createCipheriv, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { MaskThreads, prepareUpdate } from '@regulon/client/update';
import { tuneHeapForStreams } from '@regulon/shared/heap';
import {
  jsKernel,
  type Manifest,
  MaskEngine,
  type MaskKey,
  quantiseTile,
  type RingBits,
  Rounding,
  TILE_BYTES,
} from '@regulon/shared/secagg';
import { bestOf, cpuSecondsOf, secondsOf } from './best-of.js';
import type { BenchOptions } from './main.js';
import { type BenchRow, row } from './report.js';
import { inScratchFolder } from './scratch-folder.js';

const STREAMS = 10;
const GB = 1e9;

/** Masks on one core (rates are per CPU second): what a site of a cohort of ten puts on its vector. */
export async function run({ quick, say }: BenchOptions): Promise<BenchRow[]> {
  tuneHeapForStreams('throughput');
  const bytes = (quick ? 256 : 640) * TILE_BYTES;
  say(`${STREAMS} streams over ${bytes / 1e6} MB, best of ${quick ? 6 : 12}`);
  const vector = new Uint8Array(bytes);
  const [wasm, wide, js] = [new MaskEngine(), new MaskEngine(), new MaskEngine(jsKernel())];
  const rate = await bestOf(quick ? 6 : 12, {
    cipher: () => cipherRate(bytes * STREAMS),
    wasm: () => maskRate(wasm, vector, 32),
    quantise: () => quantiseRate(bytes),
  });
  const others = await bestOf(quick ? 3 : 6, {
    wide: () => maskRate(wide, vector, 64),
    js: () => maskRate(js, vector, 32),
  });
  const bare = { against: 'the bare cipher', reference: rate.cipher };
  return [
    row({
      name: 'AES-256-CTR of node:crypto on 128 KiB pieces',
      value: rate.cipher,
      unit: 'GB/s',
      against: '',
    }),
    row({
      name: 'mask and add, WebAssembly, one core',
      value: rate.wasm,
      unit: 'GB/s',
      ...bare,
      atLeast: 2.3,
    }),
    row({
      ...{ name: 'share of the bare cipher', value: (100 * rate.wasm) / rate.cipher, unit: '%' },
      ...{ against: '', atLeast: 70 },
    }),
    row({ name: 'mask and add, WebAssembly, 64-bit ring', value: others.wide, unit: 'GB/s', ...bare }),
    row({
      ...{ name: 'mask and add, JavaScript', value: others.js, unit: 'GB/s' },
      ...{ against: 'WebAssembly', reference: rate.wasm },
    }),
    ...(await vectorRows(quick)),
    row({
      ...{ name: 'quantise, float64, with its random words', value: rate.quantise / 4, unit: 'G elements/s' },
      ...{ against: 'its random words alone', reference: rate.cipher / 4 },
    }),
  ];
}

/** The whole way of a long vector in a large cohort, from the delta to a synced file with its root. */
function vectorRows(quick: boolean): Promise<BenchRow[]> {
  return inScratchFolder(async (folder) => {
    const [d, streams] = [quick ? 5_000_000 : 21_000_000, 50];
    const deltaPath = join(folder, 'delta.f32');
    writeFileSync(
      deltaPath,
      Float32Array.from({ length: d }, (_, k) => Math.sin(k) / 100),
    );
    const engine = new MaskEngine();
    const manifest: Partial<Manifest> = { d, Q: 2 ** 20, C: 100, ringBits: 32, extras: [] };
    const write = (threads: MaskThreads) => (): ReturnType<typeof prepareUpdate> =>
      prepareUpdate({
        ...{
          manifest: manifest as Manifest,
          contribution: { kind: 'update', deltaPath },
          weight: 0.5,
          extras: {},
        },
        ...{ roundingKey: new Uint8Array(randomBytes(32)), masks: randomMasks(streams), engine },
        ...{ path: join(folder, 'y'), threads },
      });
    const all = availableParallelism();
    const rate = await bestOf(quick ? 1 : 4, {
      one: async () => 1 / (await secondsOf(write(new MaskThreads(undefined, 1)))),
      all: async () => 1 / (await secondsOf(write(new MaskThreads(undefined, all, 1)))),
    });
    const name = `${d / 1e6} M parameters, ${streams} masks, to a synced file`;
    return [
      row({ name: `${name}: one thread`, value: 1 / rate.one, unit: 's', against: '' }),
      row({
        ...{ name: `${name}: ${all} threads`, value: 1 / rate.all, unit: 's' },
        ...{ against: 'one thread', reference: 1 / rate.one },
      }),
    ];
  });
}

function randomMasks(count: number): MaskKey[] {
  return Array.from({ length: count }, (_, k): MaskKey => ({
    key: new Uint8Array(randomBytes(32)),
    sign: k % 2 === 0 ? 1 : -1,
  }));
}

/** GB/s of the cipher alone. */
async function cipherRate(bytes: number): Promise<number> {
  const cipher = createCipheriv('aes-256-ctr', randomBytes(32), Buffer.alloc(16));
  const zeros = Buffer.alloc(TILE_BYTES);
  const seconds = await cpuSecondsOf(() => {
    for (let at = 0; at < bytes; at += TILE_BYTES) cipher.update(zeros);
  });
  return bytes / seconds / GB;
}

/** GB/s of mask streams added to or subtracted from a vector. */
async function maskRate(engine: MaskEngine, vector: Uint8Array, bits: RingBits): Promise<number> {
  const masks = randomMasks(STREAMS);
  const seconds = await cpuSecondsOf(() => {
    for (let at = 0; at < vector.length; at += TILE_BYTES)
      engine.maskTile(vector.subarray(at, at + TILE_BYTES), at, masks, bits);
  });
  return (vector.length * STREAMS) / seconds / GB;
}

/** GB/s of float32 elements quantised. */
async function quantiseRate(bytes: number): Promise<number> {
  const x = Float32Array.from({ length: TILE_BYTES / 4 }, (_, k) => Math.sin(k));
  const out = new Int32Array(x.length);
  const options = { weightScale: 0.75, C: 1.5, Q: 2 ** 20, rounding: new Rounding(randomBytes(32)) };
  const seconds = await cpuSecondsOf(() => {
    for (let at = 0; at < bytes; at += TILE_BYTES) quantiseTile(x, options, out);
  });
  return bytes / seconds / GB;
}
