import { runInThisContext } from 'node:vm';
import { RegulonError } from '@regulon/shared/errors';
import type { GpuBuffer } from './webgpu-types.js';

interface Realm {
  setImmediate: (turn: () => void) => unknown;
}

/** The realm that addons live in, whatever realm this module was loaded into. */
const ADDON_REALM = runInThisContext('globalThis') as Realm;

/** After so many turns the processor is left to others: a software device needs it. */
const EAGER_TURNS = 100;
const PAUSE_MILLISECONDS = 0.05;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

/**
 * Map a buffer for reading without going back to the event loop: the layers' way back is synchronous.
 *
 * Dawn looks after its devices in callbacks that it hands to `setImmediate`, one at a time; while this waits, they are
 * called here instead. Nothing else runs meanwhile, so no other caller of `setImmediate` is caught.
 *
 * @returns true once the buffer is mapped, false if the device has failed
 * @throws E_BACKEND if Dawn hands over nothing to call, e.g. in another version
 */
export function mapNow(buffer: GpuBuffer, mode: number, realm: Realm = ADDON_REALM): boolean {
  const turns: (() => void)[] = [];
  const { setImmediate } = realm;
  realm.setImmediate = (turn) => turns.push(turn);
  try {
    // a failure shows in the state
    buffer.mapAsync(mode).catch(() => undefined);
    let turned = 0;
    while (buffer.mapState === 'pending') {
      const turn = turns.shift();
      if (!turn) throw new RegulonError('E_BACKEND', 'webgpu cannot be waited for: is it of version 0.6.2?');
      turn();
      if (turned++ > EAGER_TURNS) Atomics.wait(PAUSE, 0, 0, PAUSE_MILLISECONDS);
    }
  } finally {
    realm.setImmediate = setImmediate;
    for (const turn of turns) setImmediate(turn);
  }
  return buffer.mapState === 'mapped';
}
