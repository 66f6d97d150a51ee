/** Fills slots of shared memory with standard normal numbers, one after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { drawNormals, RandomWords } from '@regulon/shared/privacy';

/** A wiped slot, by its position. */
export interface SlotToFill {
  readonly slot: number;
}

/** A slot that is full; each has the number after the one before. */
export interface FilledSlot extends SlotToFill {
  readonly serial: number;
}

const slots = (workerData as readonly SharedArrayBuffer[]).map((buffer) => new Float64Array(buffer));
const source = new RandomWords();
let serial = 0;

parentPort?.on('message', ({ slot }: SlotToFill) => {
  drawNormals(slots[slot]!, source);
  parentPort?.postMessage({ slot, serial: serial++ } satisfies FilledSlot);
});
