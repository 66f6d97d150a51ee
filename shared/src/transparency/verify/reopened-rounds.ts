import { equalBytes } from '../../crypto/index.js';
import { contributorsOf } from '../../secagg/index.js';
import { digestBytes } from '../entries/fields.js';
import { verifyReopenEntry } from '../entries/reopen.js';
import { integersOf, rosterViewAt, type VerifyContext } from './context.js';
import type { OpenedRound } from './opened-rounds.js';
import type { Placed, RunView } from './run-view.js';

type Opened = ReadonlyMap<string, OpenedRound>;

const placeOf = ({ round, attempt }: { round: number; attempt: number }): string => `${round}/${attempt}`;

/**
 * Row S2: a site answers one survivor set of a round, and after the administrators reopened it one more, over the same
 * contributors less a proven dealer.
 */
export function checkAnswersOnce(context: VerifyContext, view: RunView, opened: Opened): void {
  const { findings, log } = context;
  const reopened = new Map<string, Placed<'round.reopen'>>();
  for (const reopen of view.reopens) {
    const why = misreopened(context, view, opened, reopen);
    if (why === undefined) reopened.set(placeOf(reopen.entry), reopen);
    else findings.fail('S2', why, reopen.index);
  }
  const answered = new Map<string, Placed<'round.unmask'>>();
  for (const unmask of view.unmasks) {
    const { entry, index } = unmask;
    const key = `${entry.round} ${entry.actor.id}`;
    const before = answered.get(key)?.entry;
    const other = before !== undefined && before.body.consistency !== entry.body.consistency;
    const reopen = reopened.get(placeOf(entry));
    const allowed = before && reopen !== undefined && reopen.index < index && !reopened.has(placeOf(before));
    if (other && !allowed) {
      const twice = `${entry.actor.id} answered round ${entry.round} twice, for two survivor sets`;
      findings.fail('S2', twice, index);
    }
    answered.set(key, unmask);
  }
  for (const { entry, index } of view.aggregates) {
    const reopen = reopened.get(placeOf(entry));
    const manifest = opened.get(entry.body.context)?.manifest;
    if (!reopen || !manifest) continue;
    const contributors = contributorsOf(manifest);
    const released = integersOf(entry.body.u3, log.resolve).filter((id) => contributors.has(id));
    if (released.join() !== reopen.entry.body.contributors.join())
      findings.fail('S2', `the reopened round ${entry.round} has other contributors than its Reopen`, index);
  }
}

/** Why a Reopen does not hold, or undefined. */
function misreopened(
  { history, log }: VerifyContext,
  view: RunView,
  opened: Opened,
  { entry, index }: Placed<'round.reopen'>,
): string | undefined {
  const { run, round, attempt, body } = entry;
  const ofBurnt = [...opened.values()].find(
    ({ open }) => open.index < index && open.entry.round === round && open.entry.attempt === body.burnt,
  );
  const administrators = history.rosterAt(index);
  if (administrators === undefined) return 'a Reopen whose administrators are not known';
  if (ofBurnt === undefined) return `the Reopen of round ${round} names an attempt that was not opened`;
  const h3 = digestBytes(body.consistency);
  const answers = view.unmasks.filter((u) => u.entry.round === round && u.entry.attempt === body.burnt);
  const same = answers.find((u) => equalBytes(digestBytes(u.entry.body.consistency), h3));
  if (same === undefined) return `no site answered the survivors that the Reopen of round ${round} names`;
  const survivors = integersOf(same.entry.body.survivors, log.resolve);
  const roster = rosterViewAt(history, ofBurnt.open.index);
  const burnt = { manifest: ofBurnt.manifest, roster, h3, survivors };
  try {
    verifyReopenEntry(administrators, { run, round, attempt }, body, burnt);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
