import type { BodyOf } from '@regulon/shared/transparency';
import type { SampleLog } from '@regulon/shared/transparency-samples';
import { type Case, other, rewritten } from './cases.js';

const coordinator = ['coordinator', 'coordinator'] as const;
const stated = `sha256:${'a'.repeat(64)}`;
const start = (log: SampleLog, configuration: string | null): number =>
  log.write(
    ['site', 'site-2'],
    'config.start',
    {},
    {
      ...{ nonce: '0'.repeat(64), version: '0.1.0', software: null, configuration },
    },
  );
const change = (log: SampleLog, before: string | null, after: string): number =>
  log.write(coordinator, 'config.change', {}, { before, after });
const said = (say: (log: SampleLog) => unknown): (() => Case) => rewritten((log) => void say(log));
const deed: BodyOf<'admin.act'> = {
  actor: { role: 'operator', id: 'p-abcdefghijklmnop' },
  ...{ action: 'account.add', object: 'p-ponmlkjihgfedcba', outcome: 'done' },
};
const access: BodyOf<'access.request'> = { ...deed, action: 'models.model', object: stated, outcome: 'done' };
const token = { role: 'token-file', id: 'token-file' } as const;

/** Logs that say who did what at the coordinator, and under which configuration its parties run. */
export const deedsRight: Record<string, () => Case> = {
  'what people did and took': said((log) => [
    log.write(coordinator, 'admin.act', {}, deed),
    log.write(coordinator, 'access.request', {}, access),
    log.write(coordinator, 'access.request', {}, { ...access, actor: token, outcome: 'refused' }),
  ]),
  'configurations and their changes': said((log) => [
    ...[start(log, null), start(log, stated), start(log, null), start(log, stated)],
    ...[change(log, null, stated), change(log, stated, other)],
  ]),
};

/** Configurations that were changed in silence. */
export const deedsWrong: Record<string, () => Case> = {
  'a start under another configuration': said((log) => [start(log, stated), start(log, other)]),
  'a change from another configuration': said((log) => [
    change(log, null, stated),
    change(log, other, stated),
  ]),
  'a change from a configuration that was never stated': said((log) => change(log, other, stated)),
};
