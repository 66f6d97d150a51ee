import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { CANDIDATES, isThere } from '../training/index.js';
import { measureSteps, referenceJobs } from '../training/calibration/index.js';

/** Milliseconds of a step on one backend, by model; null where it fails. */
export interface BackendTimes {
  readonly backend: string;
  readonly milliseconds: Readonly<Record<string, number | null>>;
}

/** Train the reference models for some steps on every backend of this machine, each in a process of its own. */
export async function benchBackends(
  acceleratorFolder: string,
  threads: number,
  say: (line: string) => void,
): Promise<BackendTimes[]> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'regulon-bench-'));
  try {
    const jobs = await referenceJobs(folder);
    const rows: BackendTimes[] = [];
    for (const backend of CANDIDATES.filter((name) => isThere(name, acceleratorFolder))) {
      const milliseconds: Record<string, number | null> = {};
      for (const { name, job } of jobs) {
        say(`${backend}: ${name}`);
        const times = await measureSteps(job, [backend], { folder, threads, acceleratorFolder });
        milliseconds[name] = times[backend] ?? null;
      }
      rows.push({ backend, milliseconds });
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
