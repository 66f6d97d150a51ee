import { setFlagsFromString } from 'node:v8';

/**
 * Set up V8 for a process through which many large, short-lived buffers pass (docs/adr/0008).
 *
 * Call it before anything large is loaded; it holds for the whole process, its worker threads included.
 *
 * @param goal `throughput`: a full collection stops the process once; `latency`: in small steps
 */
export function tuneHeapForStreams(goal: 'throughput' | 'latency'): void {
  setFlagsFromString('--max-semi-space-size=4');
  setFlagsFromString('--no-concurrent-array-buffer-sweeping');
  if (goal === 'throughput') setFlagsFromString('--no-incremental-marking');
}
