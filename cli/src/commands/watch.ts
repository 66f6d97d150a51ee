import type { CoordinatorApi } from '../api-client/index.js';
import { BoardView, boardEventsOf, stderrScreen } from '../demo/index.js';
import { type CommandResult, Exit, type Output } from '../output/index.js';
import { followRun, runFailure } from '../sim/index.js';
import { documentLines } from './run-lines.js';

/**
 * Follow a run: board or lines on stderr, events on stdout with `jsonl`. Ctrl-C detaches; the run goes on.
 *
 * @param allowPartial exit 0 for COMPLETED_PARTIAL
 */
export async function watchRun(
  api: CoordinatorApi,
  run: string,
  output: Output,
  allowPartial: boolean,
): Promise<CommandResult & { exitCode?: number }> {
  const before = await api.run(run);
  const view = new BoardView(stderrScreen);
  const names = {
    site: (id: number) => before.sites.find((site) => site.id === id)?.name ?? String(id),
    arm: (index: number) => before.schedule?.arms.find(({ arm }) => arm === index)?.label ?? String(index),
  };
  if (output.format === 'table')
    view.open(
      before.name,
      run,
      before.schedule?.rounds ?? 0,
      before.sites.map((s) => s.name),
    );
  const detach = new AbortController();
  const onInterrupt = (): void => detach.abort();
  process.once('SIGINT', onInterrupt);
  const status = await followRun(
    api,
    run,
    (event) => {
      if (output.format === 'jsonl') output.event(event, '');
      else if (output.format === 'table') boardEventsOf(event, names).forEach((change) => view.apply(change));
    },
    detach.signal,
  );
  process.off('SIGINT', onInterrupt);
  view.close();
  if (status === null) {
    output.note('detached; the run goes on');
    return { data: { run, detached: true }, rows: [], lines: [], exitCode: Exit.done };
  }
  const document = await api.run(run);
  const partial = document.status === 'COMPLETED_PARTIAL';
  const result = { data: document, rows: [], lines: documentLines(document), partial };
  const failure = runFailure(document);
  return { ...result, failure, ...(partial && allowPartial ? { exitCode: Exit.done } : {}) };
}
