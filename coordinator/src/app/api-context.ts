import type { ApiContext } from '../api/index.js';
import type { Core } from './core.js';

/** What the REST API stands on. @param notReady null when ready, else why not */
export function apiContextOf(core: Core, bearerToken: string, notReady: () => string | null): ApiContext {
  const { accounts, provider, runs, views, intake, sequencer, publisher, metrics, logger, deeds } = core;
  return {
    ...{ bearerToken, accounts, provider, runs, views, intake, sequencer, metrics, notReady, deeds },
    acted: ({ name, role }, what, about) =>
      logger.info(
        { account: name, role, ...(about === undefined ? {} : { about }) },
        `${what} was asked for`,
      ),
    settleLog: () => publisher.settle(),
  };
}
