/** Imports compiled specs one after the other and runs them; says whether all pass. */
import { parentPort, workerData } from 'node:worker_threads';
import { runTests } from './quick-globals.js';

async function passes(specs: readonly string[]): Promise<boolean> {
  try {
    for (const spec of specs) {
      await import(spec);
      await runTests();
    }
    return true;
  } catch {
    return false;
  }
}

parentPort?.postMessage(await passes(workerData as string[]));
