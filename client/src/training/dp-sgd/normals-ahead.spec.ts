import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { NormalsAhead } from './normals-ahead.js';

const script = fileURLToPath(new URL('../../../dist/training/dp-sgd/normals-worker.js', import.meta.url));
const threaded = existsSync(script) ? it : it.skip;
const SLOT = 2 ** 18;

/** A thread that does something else. */
const doing = (code: string): URL =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`import { parentPort } from 'node:worker_threads'; ${code}`)}`,
  );

async function taken(normals: NormalsAhead, count: number): Promise<Float64Array> {
  const values = new Float64Array(count);
  for (let at = 0; at < count;) {
    const part = await normals.next(count - at);
    values.set(part, at);
    at += part.length;
  }
  return values;
}

describe('normal numbers that a thread draws ahead', () => {
  threaded(
    'are independent standard normal, and none is handed out twice (needs the compiled programs)',
    async () => {
      const count = 5 * SLOT + 11;
      const normals = [new NormalsAhead(2 * SLOT), new NormalsAhead(1)];
      const [one, two] = await Promise.all(normals.map((each) => taken(each, count)));
      await Promise.all(normals.map((each) => each.close()));
      for (const values of [one!, two!]) {
        const moment = (k: number) => values.reduce((sum, x) => sum + x ** k, 0) / count;
        // seven standard errors: the ten figures are of fresh numbers each time
        expect(Math.abs(moment(1))).toBeLessThan(7 / Math.sqrt(count));
        expect(Math.abs(moment(2) - 1)).toBeLessThan(7 * Math.sqrt(2 / count));
        const lag = (by: number) => values.reduce((sum, x, i) => sum + x * (values[i + by] ?? 0), 0) / count;
        for (const by of [1, SLOT, 2 * SLOT]) expect(Math.abs(lag(by))).toBeLessThan(7 / Math.sqrt(count));
      }
      // Two of 2.6 million doubles are equal by chance once in ten thousand times, six pairs never. A slot that is handed
      // out again repeats eleven numbers at least.
      expect(2 * count - new Set([...one!, ...two!]).size).toBeLessThan(6);
    },
  );

  threaded('are gone once they were used (needs the compiled programs)', async () => {
    const normals = new NormalsAhead(1);
    const first = await normals.next(SLOT);
    const before = first.slice();
    await normals.next(1);
    expect(first.some((x, i) => x === before[i])).toBe(false);
    await normals.close();
    expect(first.every((x) => x === 0)).toBe(true);
    await expect(taken(normals, 3 * SLOT)).rejects.toMatchObject({ code: 'E_STATE' });
  });

  it.each([
    ['fails', 'parentPort.on("message", () => { throw new Error("out of memory"); });'],
    ['ends', 'parentPort.once("message", () => process.exit(3));'],
    [
      'hands a slot over twice',
      'parentPort.on("message", ({ slot }) => parentPort.postMessage({ slot: 0, serial: slot }));',
    ],
    [
      'leaves a slot out',
      'parentPort.on("message", ({ slot }) => parentPort.postMessage({ slot, serial: 2 * slot }));',
    ],
  ])('a thread that %s: the training ends by name', async (_, code) => {
    const normals = new NormalsAhead(1, doing(code));
    await expect(taken(normals, 3 * SLOT)).rejects.toMatchObject({
      code: 'E_TRAINER_CRASH',
      message: expect.stringContaining('noise'),
    });
    await normals.close();
  });

  it('are worth a thread only where a training needs many', () => {
    expect(NormalsAhead.isWorth(153 * 20)).toBe(false);
    expect(NormalsAhead.isWorth(640_000 * 20)).toBe(true);
  });
});
