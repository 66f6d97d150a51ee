import { readDaemonConfig } from '@regulon/client/config';
import { placeObjection } from '@regulon/client/consent';
import { loadSiteKeys } from '@regulon/client/enrol';
import { loadFederation } from '@regulon/client/policy';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { namedError, type CommandResult, type Output } from '../output/index.js';
import { digestOfBody, type DueWithdrawal, type SiteLink, withSite } from '../steward/index.js';
import { agree } from './agree.js';
import type { Context } from './context.js';
import { bookOf, stewardOf, type StewardOptions } from './stewarding.js';

/** What is known here: whether a daemon runs is not. */
const KEPT_OUT =
  'the word lies in state/objections: a daemon that runs here takes no part within a second, one that starts later takes none';

/** A steward's no. */
export interface No {
  /** as it reads beside the log */
  readonly due: (link: SiteLink) => Promise<DueWithdrawal>;
  /** as it reads while the log cannot be had; undefined when what is meant cannot be told without it */
  readonly unread: () => DueWithdrawal | undefined;
}

/**
 * A steward says no. First the site's own daemon stops, by a signed word in its state folder; then the log hears of it.
 * Only what a verified checkpoint covers counts as said to everybody: a coordinator can acknowledge an entry and keep it.
 *
 * @throws E_ARGUMENT when nobody agreed; what keeps the log from saying so, with the daemon stopped all the same
 */
export async function sayNo(
  no: No,
  options: StewardOptions,
  context: Context,
  output: Output,
): Promise<CommandResult> {
  const stop = await stopperOf(options);
  let isRead = false;
  let due: DueWithdrawal | undefined;
  let stopped: Stopped | undefined;
  try {
    return await withSite(options.config, async (link) => {
      isRead = true;
      due = await no.due(link);
      const digest = digestOfBody(due.statement.body);
      const shown = await agreeTo(due, options, context);
      if (shown) return shown;
      stopped = await stop.by(due);
      if (stopped.failure === undefined) output.progress(`${KEPT_OUT}; telling the log`);
      const index = due.logged ?? (await bookOf(options, link.config.site).post(link, due.statement));
      await link.covered(index);
      if (stopped.failure !== undefined) throw notStopped(stopped.failure, index);
      return {
        data: { ...due.statement, digest, signed: true, index, stopped: true },
        lines: [`${due.statement.kind}: entry ${index}`],
      };
    });
  } catch (error) {
    if (stopped !== undefined) throw stopped.failure === undefined ? notLogged(error) : error;
    // whatever keeps the log from being read, or shows one in which what is meant does not stand
    const meant = due === undefined ? no.unread() : undefined;
    if (meant === undefined) throw isRead ? error : unreadable(error);
    // nothing is stopped by a dataset that this daemon has not
    if ('dataset' in meant.subject && meant.subject.dataset !== stop.dataset) throw error;
    const shown = await agreeTo(meant, options, context);
    if (shown) return shown;
    const { failure } = await stop.by(meant);
    throw failure ?? notLogged(error);
  }
}

/** Stops the own daemon. */
interface Stopper {
  /** that the daemon uses */
  readonly dataset: string;
  readonly by: (due: DueWithdrawal) => Promise<Stopped>;
}

/** What became of stopping the own daemon. */
interface Stopped {
  /** why it could not be told; the log is told all the same */
  readonly failure?: Error;
}

/** What only belongs to this machine is checked before anybody is asked. @throws E_CONFIG, E_KEY_FILE, E_ROSTER */
async function stopperOf(options: StewardOptions): Promise<Stopper> {
  const config = readDaemonConfig(options.config);
  const { identity } = loadSiteKeys(config.stateFolder);
  const { roster } = loadFederation(config.federation, config.site, config.rosterHash, identity);
  const steward = options.dryRun ? undefined : stewardOf(options, config.site);
  const by = async ({ subject }: DueWithdrawal): Promise<Stopped> => {
    if (!steward) return {};
    try {
      await placeObjection(config.stateFolder, steward.object(roster.federationId, subject, new Date()));
      return {};
    } catch (failure) {
      return { failure: failure as Error };
    }
  };
  return { dataset: config.dataset.name, by };
}

/** @returns what a dry run shows; undefined once the person has agreed */
async function agreeTo(
  { statement, lines }: DueWithdrawal,
  options: StewardOptions,
  context: Context,
): Promise<CommandResult | undefined> {
  const digest = digestOfBody(statement.body);
  const due = { lines: [...lines, `digest  ${digest}`], digest };
  if (options.dryRun) return { data: { ...statement, digest, signed: false }, lines: due.lines };
  await agree(context, options.digest, due);
  return undefined;
}

/** The log says no, the daemon could not be told. */
function notStopped(error: unknown, index: number): RegulonError {
  const named = namedError(error);
  if (!isRegulonError(named)) throw named;
  return new RegulonError(
    named.code,
    `the log says so in entry ${index}, but your daemon could not be told: ${named.message}`,
    { hint: 'end the process of the daemon now, mend what is named, and give the same command again' },
  );
}

/** The own daemon stays out, the log does not say so. */
function notLogged(error: unknown): RegulonError {
  const named = namedError(error);
  if (!isRegulonError(named)) throw named;
  return new RegulonError(
    named.code,
    `${KEPT_OUT}; the coordinator has not logged it yet: ${named.message}`,
    {
      hint: 'give the same command again until it names an entry; if it never does, tell the other hospitals',
    },
  );
}

function unreadable(error: unknown): unknown {
  if (!isRegulonError(error)) return error;
  return new RegulonError(error.code, error.message, {
    cause: error,
    hint: 'the log cannot be read, so no plan can be found by name: name its whole digest (sha256:…), or --dataset: your daemon takes no part from then on',
  });
}
