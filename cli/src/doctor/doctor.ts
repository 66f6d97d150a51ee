import { dirname } from 'node:path';
import { readDaemonConfig, readSitePolicy } from '@regulon/client/config';
import { checkDisk, checkFolders, checkRandomness, checkRuntime } from './machine-checks.js';
import { type DoctorRow, ok, rowOf, skipped } from './row.js';
import { checkClock, checkKeys, greet, type Greeting } from './site-checks.js';

/**
 * Check a site from the runtime up to a greeting with its coordinator.
 *
 * @param configFile of the daemon; without it only the machine is checked
 * @throws E_CONFIG when the configuration itself cannot be read
 */
export async function examine(
  configFile: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<DoctorRow[]> {
  const machine = [
    await rowOf('D16', 'randomness', () => checkRandomness(environment)),
    await rowOf('D17', 'runtime', () => checkRuntime(process.versions.node)),
  ];
  if (configFile === undefined) {
    const needsConfig = ['D1 clock', 'D2 path', 'D6 keys', 'D8 folders', 'D9 disk'].map(async (name) => {
      const [id = '', check = ''] = name.split(' ');
      return rowOf(id, check, () => skipped('needs --config'));
    });
    return inOrder([...machine, ...(await Promise.all(needsConfig))]);
  }
  const config = readDaemonConfig(configFile);
  let greeting: Greeting | undefined;
  const path = await rowOf('D2', 'path', async () => {
    greeting = await greet(config);
    return ok(`TLS 1.3, pinned authority, protocol ${greeting.protocolVersion}, ${greeting.milliseconds} ms`);
  });
  return inOrder([
    ...machine,
    path,
    await rowOf('D1', 'clock', () =>
      greeting ? checkClock(greeting.offsetMs) : skipped('no path to the coordinator'),
    ),
    await rowOf('D6', 'keys', () => checkKeys(config)),
    await rowOf('D8', 'folders', () => checkFolders([config.stateFolder], dirname(config.dataset.counts))),
    await rowOf('D9', 'disk', () =>
      checkDisk(config.stateFolder, readSitePolicy(config.policyFile).maxParameters),
    ),
  ]);
}

const numberOf = (row: DoctorRow): number => Number(row.id.slice(1));

function inOrder(rows: readonly DoctorRow[]): DoctorRow[] {
  return [...rows].sort((a, b) => numberOf(a) - numberOf(b));
}
