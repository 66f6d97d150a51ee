import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { verifyBundle } from '@regulon/shared/transparency';
import type { SimFederation } from '../sim/index.js';
import type { DemoOutcome } from './outcome.js';

const BUNDLE_FILE = 'bundle.zip';

/** What the log says about a run, as an auditor sees it. */
export interface Evidence {
  readonly log: DemoOutcome['log'];
  readonly gateMode: string;
  readonly files: readonly string[];
}

/** Export the auditor's bundle and verify it as an auditor would: with the policy of the sites, offline. */
export async function exportAndVerify(
  federation: SimFederation,
  root: string,
  target: string | undefined,
): Promise<Evidence> {
  const bundle = await federation.api.bundle();
  const policy = readFileSync(join(federation.founded.folder.federation, 'quorum.policy'), 'utf8');
  const report = verifyBundle({ bundle, policy });
  const file = target === undefined ? join(root, BUNDLE_FILE) : resolve(target);
  writeFileSync(file, bundle);
  if (target !== undefined) writeFileSync(`${file}.policy`, policy);
  const { size, root: treeRoot } = report.log;
  return {
    log: {
      size,
      root: treeRoot,
      verified: report.status === 'pass',
      lines: [`audit verify: ${report.firstLine}`],
    },
    gateMode: report.gateMode ?? 'unknown',
    files:
      target === undefined
        ? []
        : [`${file} and ${file}.policy: npx regulon audit verify --bundle ${file} --policy ${file}.policy`],
  };
}
