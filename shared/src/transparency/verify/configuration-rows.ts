import type { VerifyContext } from './context.js';
import type { PrunedStart } from './pruned-log.js';

/** Row L3: no party changes its configuration without saying so; every digest that it states is the one that it stated last. */
export function checkConfigurations(
  { log, findings }: Pick<VerifyContext, 'log' | 'findings'>,
  start?: Pick<PrunedStart, 'state'>,
): void {
  const stated = new Map<string, string>(
    start?.state.heads.flatMap(({ type, id, configuration }) =>
      configuration === null ? [] : [[`${type} ${id}`, configuration] as const],
    ),
  );
  for (const { entry, index } of log.entries) {
    if (entry.kind !== 'config.start' && entry.kind !== 'config.change') continue;
    const who = `${entry.actor.type} ${entry.actor.id}`;
    const last = stated.get(who) ?? null;
    const before = entry.kind === 'config.change' ? entry.body.before : (entry.body.configuration ?? last);
    const isFirst = entry.kind === 'config.start' && last === null;
    if (before !== last && !isFirst)
      findings.fail('L3', `${who} states another configuration than its last one, and no change`, index);
    const now = entry.kind === 'config.change' ? entry.body.after : before;
    if (now !== null) stated.set(who, now);
  }
}
