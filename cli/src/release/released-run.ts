import { RegulonError } from '@regulon/shared/errors';
import {
  type Kind,
  type LogEntry,
  releasableRun,
  type ReleasableRun,
  type ResolveAttachment,
} from '@regulon/shared/transparency';

/** An entry with its place in the log. */
export interface PlacedEntry {
  readonly index: number;
  readonly entry: LogEntry;
}

/** What a log says of a run whose model may leave. */
export interface ReleasedRun {
  readonly run: ReleasableRun;
  readonly proposal: LogEntry<'plan.propose'>['body'];
  readonly finish: LogEntry<'run.finish'>['body'];
  /** terms of the use of the data that the model was trained on, sorted: they bind who uses the model, too */
  readonly dataUse: readonly string[];
  /** earlier releases, with their places */
  readonly releases: readonly { readonly index: number; readonly entry: LogEntry<'model.release'> }[];
}

/**
 * Read a finished run out of a log.
 *
 * @param resolve reads the attached plan, and the list of models where it is attached
 * @throws E_RELEASE when the run has not ended
 */
export function releasedRun(
  log: readonly PlacedEntry[],
  name: string,
  resolve: ResolveAttachment,
): ReleasedRun {
  const of = <K extends Kind>(kind: K): { index: number; entry: LogEntry<K> }[] =>
    log.filter((one): one is { index: number; entry: LogEntry<K> } => one.entry.kind === kind);
  const own = <K extends Kind>(kind: K) => of(kind).filter(({ entry }) => entry.run === name);
  const start = own('run.start')[0]?.entry;
  const proposal = of('plan.propose').find(({ index }) => index === start?.body.proposal)?.entry.body;
  const finish = own('run.finish')[0]?.entry.body;
  if (!proposal || !finish)
    throw new RegulonError('E_RELEASE', `${name} has not ended: nothing of it can be released`);
  const run = releasableRun({
    ...{ proposal, finish, resolve },
    contributions: own('round.contribution').map(({ entry }) => entry),
    policies: of('policy.set').map(({ entry }) => entry),
  });
  return { run, proposal, finish, dataUse: termsOfRun(log, name), releases: own('model.release') };
}

/** Terms of every dataset that a contribution of the run names. */
function termsOfRun(log: readonly PlacedEntry[], name: string): string[] {
  const used = new Set(
    log.flatMap(({ entry }) =>
      entry.kind === 'round.contribution' && entry.run === name
        ? [`${entry.actor.id} ${entry.body.commitment}`]
        : [],
    ),
  );
  const terms = log.flatMap(({ entry }) =>
    entry.kind === 'dataset.commit' && used.has(`${entry.actor.id} ${entry.body.commitment}`)
      ? entry.body.dataUse
      : [],
  );
  return [...new Set(terms)].sort();
}
