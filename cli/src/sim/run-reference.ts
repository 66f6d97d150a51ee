import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendChoice } from '@regulon/client/training';
import type { Plan } from '@regulon/shared/plan';
import type { SiteFiles } from './layout.js';
import { programs, runToEnd } from './programs.js';
import { type ReferenceReport, referenceReportSchema } from './reference/job.js';

/** Pooled and lone models, in a process that no coordinator or daemon can import. @param root folder for its files, removed by the caller */
export async function runReferenceProcess(
  root: string,
  plan: Plan,
  files: readonly SiteFiles[],
  backend: BackendChoice,
): Promise<ReferenceReport> {
  const folder = join(root, 'reference');
  mkdirSync(folder, { mode: 0o700 });
  const { kind, scale } = plan.dataset;
  const sites = files.map(({ name, ...data }) => ({ name, kind, scale, ...data, open: true }));
  const job = join(folder, 'job.json');
  writeFileSync(job, JSON.stringify({ plan, sites, folder, backend }), { mode: 0o600 });
  return runToEnd(programs.reference, [job], referenceReportSchema);
}
