import type { RunEvent } from '@regulon/coordinator/runs';
import type { CoordinatorApi } from '../api-client/index.js';
import { BoardView, boardEventsOf, type Screen } from '../demo/index.js';
import { type CommandResult, Exit, type Output } from '../output/index.js';
import { followRun, runFailure } from '../sim/index.js';
import { documentLines } from './run-lines.js';

/**
 * Follow a run: board or lines on the screen, events on stdout with `jsonl`. Ctrl-C detaches; the run goes on.
 *
 * @param on `allowPartial`: exit 0 for COMPLETED_PARTIAL
 * @throws E_CONNECTION when the coordinator stays away for a minute
 */
export async function watchRun(
  api: CoordinatorApi,
  run: string,
  output: Output,
  on: { readonly screen: Screen; readonly allowPartial: boolean },
): Promise<CommandResult & { exitCode?: number }> {
  const before = await api.run(run);
  const view = new BoardView(on.screen);
  const names = {
    site: (id: number) => before.sites.find((site) => site.id === id)?.name ?? String(id),
    arm: (index: number) => before.schedule?.arms.find(({ arm }) => arm === index)?.label ?? String(index),
  };
  const sites = before.sites.map(({ name }) => name);
  const shows = output.format === 'table' && !output.quiet;
  if (shows) view.open(before.name, run, before.schedule?.rounds ?? 0, sites);
  const see = (event: RunEvent): void => {
    if (output.format === 'jsonl') output.event(event, '');
    else if (shows) boardEventsOf(event, names).forEach((change) => view.apply(change));
  };
  const status = await untilDetached((signal) => followRun(api, run, see, signal)).finally(() =>
    view.close(),
  );
  if (status === null) {
    output.progress('detached; the run goes on');
    return { data: { run, detached: true }, rows: [], lines: [], exitCode: Exit.done };
  }
  const document = await api.run(run);
  const partial = document.status === 'COMPLETED_PARTIAL';
  const result = { data: document, rows: [], lines: documentLines(document), partial };
  const failure = runFailure(document);
  return { ...result, failure, ...(partial && on.allowPartial ? { exitCode: Exit.done } : {}) };
}

/** Work that Ctrl-C ends, and nothing else in this process. */
export async function untilDetached<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const detach = new AbortController();
  const onInterrupt = (): void => detach.abort();
  process.once('SIGINT', onInterrupt);
  try {
    return await work(detach.signal);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}
