import { parentPort, workerData } from 'node:worker_threads';
import { corpusOf } from './harness/corpus.js';
import { Fuzzer } from './harness/fuzzer.js';
import { CurrentInput, type WorkerOrder, type WorkerReport } from './harness/protocol.js';
import { targetNamed } from './targets/index.js';

/** Fuzz one target until its time or its inputs are used up. */
async function work({ target: name, seed, time, inputs, shared }: WorkerOrder): Promise<WorkerReport> {
  const target = targetNamed(name);
  const current = new CurrentInput(shared);
  let slowest = { ms: 0, input: new Uint8Array(0) };
  let begun: { at: number; input: Uint8Array } | undefined;
  const measured = (): void => {
    const ms = begun === undefined ? 0 : performance.now() - begun.at;
    if (begun !== undefined && ms > slowest.ms) slowest = { ms, input: begun.input.slice() };
  };
  const fuzzer = new Fuzzer(target, corpusOf(name), seed, (input) => {
    current.set(input);
    begun = { at: performance.now(), input };
  });
  const end = performance.now() + time;
  try {
    for (const input of corpusOf(name)) await fuzzer.replay(input);
    while (fuzzer.inputs < inputs && performance.now() < end) {
      await fuzzer.step();
      measured();
    }
  } finally {
    await target.close?.();
  }
  const failures = [...fuzzer.failures.values()].map(({ failure, input }) => ({ failure, input }));
  return { inputs: fuzzer.inputs, accepted: fuzzer.accepted, ways: fuzzer.ways, slowest, failures };
}

parentPort?.postMessage(await work(workerData as WorkerOrder));
