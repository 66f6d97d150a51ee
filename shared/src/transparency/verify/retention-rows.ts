import { integersOf, type VerifyContext } from './context.js';
import type { RunView } from './run-view.js';

/**
 * Row L5: what the log says was removed are the uploads of a round that had closed so, once, and not before its time: a
 * later round of the run had closed, or the run had ended.
 */
export function checkDeletions(
  { log, findings }: Pick<VerifyContext, 'log' | 'findings'>,
  { deletions, aggregates, finish }: Pick<RunView, 'deletions' | 'aggregates' | 'finish'>,
): void {
  const removed = new Set<string>();
  for (const { entry, index } of deletions) {
    const { body, round, attempt } = entry;
    const fail = (why: string): void => findings.fail('L5', `the uploads of round ${round} ${why}`, index);
    const close = aggregates.find((a) => a.entry.body.context === body.context);
    const isOfClose = close?.entry.round === round && close.entry.attempt === attempt && close.index < index;
    if (!close || !isOfClose || close.entry.body.transcript !== body.transcript)
      fail('were removed for a close that the log does not have');
    else if (integersOf(close.entry.body.u3, log.resolve).length !== body.vectors)
      fail('are not as many as were removed');
    const isLater = aggregates.some((a) => a.entry.round > round && a.index < index);
    const isOver = finish !== undefined && finish.index < index;
    if (body.rule === 'later-close' ? !isLater : !isOver) fail('were removed before their time');
    if (removed.has(body.context)) fail('were removed twice');
    removed.add(body.context);
  }
}
