import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readDaemonConfig, readSitePolicy } from '@regulon/client/config';
import { checkAccelerator } from './accelerator-check.js';
import { checkIdentity } from './identity-check.js';
import { checkDisk, checkFolders, checkRandomness, checkRuntime } from './machine-checks.js';
import { type DoctorRow, type Look, ok, rowOf, skipped } from './row.js';
import {
  checkClock,
  checkDataset,
  checkKeys,
  checkPolicy,
  greet,
  type Greeting,
  rosterOf,
} from './site-checks.js';

/** Checks of a site; the others are of the machine. */
const SITE_CHECKS = {
  D1: 'clock',
  D2: 'path',
  D3: 'identity',
  D6: 'keys',
  D8: 'folders',
  D9: 'disk',
  D11: 'accelerator',
  D12: 'dataset',
  D13: 'policy',
} as const;

/**
 * Check a site from the runtime up to a greeting with its coordinator.
 *
 * @param configFile of the daemon; without it only the machine is checked
 * @param now ms since the epoch
 * @throws E_CONFIG when the configuration itself cannot be read
 */
export async function examine(
  configFile: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  now = Date.now(),
): Promise<DoctorRow[]> {
  const machine = [
    await rowOf('D16', 'randomness', () => checkRandomness(environment)),
    await rowOf('D17', 'runtime', () => checkRuntime(process.versions.node)),
  ];
  if (configFile === undefined) {
    const needsConfig = Object.entries(SITE_CHECKS).map(([id, check]) =>
      rowOf(id, check, () => skipped('needs --config')),
    );
    return inOrder([...machine, ...(await Promise.all(needsConfig))]);
  }
  const config = readDaemonConfig(configFile);
  let greeting: Greeting | undefined;
  const row = (id: keyof typeof SITE_CHECKS, look: Look): Promise<DoctorRow> =>
    rowOf(id, SITE_CHECKS[id], look);
  const path = await row('D2', async () => {
    greeting = await greet(config);
    return ok(`TLS 1.3, pinned authority, protocol ${greeting.protocolVersion}, ${greeting.milliseconds} ms`);
  });
  return inOrder([
    ...machine,
    path,
    await row('D1', () => (greeting ? checkClock(greeting.offsetMs) : skipped('no path to the coordinator'))),
    await row('D3', () => checkIdentity(rosterOf(config), readFileSync(config.tls.cert, 'utf8'), now)),
    await row('D6', () => checkKeys(config)),
    await row('D8', () => checkFolders([config.stateFolder], dirname(config.dataset.counts))),
    await row('D11', () => checkAccelerator(config)),
    await row('D12', () => checkDataset(config)),
    await row('D13', () => checkPolicy(rosterOf(config), readSitePolicy(config.policyFile), new Date())),
    await row('D9', () => checkDisk(config.stateFolder, readSitePolicy(config.policyFile).maxParameters)),
  ]);
}

const numberOf = (row: DoctorRow): number => Number(row.id.slice(1));

function inOrder(rows: readonly DoctorRow[]): DoctorRow[] {
  return [...rows].sort((a, b) => numberOf(a) - numberOf(b));
}
