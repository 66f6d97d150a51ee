import { canonicalJson } from '../../crypto/index.js';
import type { BodyOf, Kind } from '../entries/kinds.js';
import type { VerifyContext } from './context.js';
import type { IndexedEntry } from './log-entries.js';
import type { PrunedStart } from './pruned-log.js';
import { ofKind, type Placed } from './run-view.js';

/** What still comes of a run that has ended. */
const AFTER_END = new Set<Kind>([
  ...(['round.ack', 'round.contribution', 'round.unmask', 'egress.receipt', 'round.abort'] as const),
  ...(['retention.delete', 'model.release', 'model.export'] as const),
]);

/**
 * Row L5: entries went only under a baseline that a quorum of sites had signed, and after the class of entry 0 that keeps
 * entries longest; of all of them the first one that stayed is the youngest.
 *
 * @param minimum first entry that is still there
 */
export function checkPrunings(
  context: Pick<VerifyContext, 'log' | 'history' | 'findings'>,
  minimum: number,
): void {
  const { log, findings } = context;
  for (const prune of ofKind(log.entries, 'log.prune')) {
    // what it rested on may have gone with a later one
    if (prune.entry.body.size < minimum) continue;
    const wrong = misprune(prune, context);
    if (wrong !== undefined)
      findings.fail('L5', `the entries before ${prune.entry.body.size} were pruned ${wrong}`, prune.index);
  }
}

function misprune(
  { entry, index }: Placed<'log.prune'>,
  { log, history }: Pick<VerifyContext, 'log' | 'history'>,
): string | undefined {
  const { size, baseline, class: name } = entry.body;
  const keys = history.at(index);
  const stated = ofKind(log.entries, 'log.baseline').filter((other) => other.index < index);
  const proposal = stated.find((other) => other.index === baseline);
  if (proposal?.entry.actor.type !== 'coordinator' || proposal.entry.body.size !== size)
    return 'without a baseline';
  const text = canonicalJson(proposal.entry.body);
  const signers = new Set(
    stated
      .filter((other) => other.entry.actor.type === 'site' && canonicalJson(other.entry.body) === text)
      .map((other) => other.entry.actor.id)
      .filter((site) => keys.member(site) !== undefined),
  );
  if (signers.size < keys.genesis.quorum)
    return `under a baseline that ${signers.size} sites had signed, ${keys.genesis.quorum} are needed`;
  const longest = longestClass(keys.genesis.retention);
  if (longest === undefined) return 'though entry 0 has no retention class';
  if (longest.class !== name) return 'under another class than the longest one of entry 0';
  const first = log.entries.find((other) => other.index >= size);
  const until = Date.parse(first?.entry.at ?? '') + 86_400_000 * longest.days;
  return until <= Date.parse(entry.at) ? undefined : 'before their class had ended';
}

/** The class that keeps entries longest; undefined when the federation has none, and nothing is pruned. */
export function longestClass(
  classes: BodyOf<'federation.genesis'>['retention'],
): BodyOf<'federation.genesis'>['retention'][number] | undefined {
  return [...classes].sort((a, b) => b.days - a.days || (a.class < b.class ? -1 : 1))[0];
}

/**
 * Entries by which runs are judged: without those of runs whose beginning was pruned. Nothing begins in these any more
 * (L5), and no model of them leaves after the pruning (R1).
 */
export function judgedEntries(
  { log, findings }: Pick<VerifyContext, 'log' | 'findings'>,
  { state, pruned, files }: PrunedStart,
): readonly IndexedEntry[] {
  const ended = new Set(state.ended);
  const isOfEnded = ({ entry, index }: IndexedEntry): boolean =>
    index >= files.minimum && entry.run !== undefined && ended.has(entry.run);
  for (const { entry, index } of log.entries.filter(isOfEnded)) {
    if (!AFTER_END.has(entry.kind))
      findings.fail('L5', `${entry.run} had ended before the entries that are left`, index);
    else if (index > pruned && (entry.kind === 'model.release' || entry.kind === 'model.export'))
      findings.fail('R1', `nothing of ${entry.run} can leave: its entries were pruned`, index);
  }
  return log.entries.filter((placed) => !isOfEnded(placed));
}
