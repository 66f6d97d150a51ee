import { join } from 'node:path';
import { readDaemonConfig, readSitePolicy } from '../config/index.js';
import { loadSiteKeys, privateFolder } from '../enrol/index.js';
import { openSiteData } from '../datasets/index.js';
import { statementsOf, type StewardStatements } from '../rounds/index.js';

/**
 * What the steward of a site signs: its policy, and a commitment to its dataset that shows no data.
 *
 * @throws E_CONFIG, E_KEY_FILE, and what the importers find
 */
export async function describeSite(configFile: string): Promise<StewardStatements> {
  const config = readDaemonConfig(configFile);
  const policy = readSitePolicy(config.policyFile);
  loadSiteKeys(config.stateFolder);
  const anchor = join(config.stateFolder, 'anchor');
  privateFolder(anchor);
  const data = openSiteData(config.dataset);
  try {
    return statementsOf(policy, config.dataset, await data.describe(), anchor);
  } finally {
    await data.release();
  }
}
