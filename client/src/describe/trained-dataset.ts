import { RegulonError } from '@regulon/shared/errors';
import { readDaemonConfig } from '../config/index.js';
import type { StewardStatements } from '../rounds/index.js';
import { readTrainedCommitments } from '../state/index.js';
import { describeSite } from './describe-site.js';

interface Described {
  readonly dataset: Pick<StewardStatements['dataset'], 'commitment'>;
}

/**
 * The commitment under which this site trained in a run, when the data of its configuration are still those.
 *
 * @param described what the loaded data are now
 * @returns digest text, as in the contributions of the site
 * @throws E_RELEASE when the site trained with other data, with several datasets, or not at all; as `describeSite`
 */
export async function trainedCommitment(
  configFile: string,
  run: string,
  described: (configFile: string) => Promise<Described> = describeSite,
): Promise<string> {
  const { site, stateFolder } = readDaemonConfig(configFile);
  const refuse = (why: string, hint: string): never => {
    throw new RegulonError('E_RELEASE', why, { hint });
  };
  const [trained, ...more] = readTrainedCommitments(stateFolder, run);
  if (trained === undefined)
    return refuse(
      `${site} has contributed nothing to ${run}: none of its units are members of the model`,
      'test a model of a run that this site trained in, with the state folder of its daemon',
    );
  if (more.length > 0)
    return refuse(`${site} trained in ${run} under several commitments`, 'test a model of another run');
  const { commitment } = (await described(configFile)).dataset;
  if (commitment === trained) return trained;
  return refuse(
    `the dataset of ${configFile} is not the one that ${site} trained with in ${run}: its commitment is ${commitment}, that of the run ${trained}`,
    'put back the files that the run was trained with: units that were not in it are no members',
  );
}
