import { utf8 } from '@regulon/shared/crypto';
import { MediaType, parseEntry } from '@regulon/shared/transparency';
import {
  exceptedRun,
  fillLog,
  noRoot,
  pruneLog,
  type SampleLog,
  type SampleOptions,
  type SpoiledBaseline,
  writeBaseline,
} from '@regulon/shared/transparency-samples';
import { type Case, rewritten } from './cases.js';

const sites = ['site-1', 'site-2', 'site-3', 'site-4'];
const said = (spoil: SpoiledBaseline, options: SampleOptions = {}): (() => Case) =>
  rewritten((log) => void writeBaseline(log, sites, spoil), options);
const counted = { privacy: { cap: '100' } } as const;

function underWay(log: SampleLog): void {
  fillLog(log);
  const body = { size: 256, root: noRoot, state: log.attach(utf8('{}'), MediaType.json) };
  log.write(['coordinator', 'coordinator'], 'log.baseline', {}, body);
}

/** Logs whose first entries coordinator and sites state in short. */
export const baselinesRight: Record<string, () => Case> = {
  'a baseline': said({}),
  'a baseline with totals of privacy': said({}, counted),
  'a baseline with an exception from a policy': said({}, exceptedRun({})),
};

/** Baselines that are not what the entries give. */
export const baselinesWrong: Record<string, () => Case> = {
  'a baseline with another root': said({ body: { root: noRoot } }),
  'a baseline of more entries than there are': said({ body: { size: 512 } }),
  'a log that says it was pruned beyond its end': rewritten(
    (log) => pruneLog(log, { body: { size: 512 }, prune: { size: 512 } }),
    { retention: [{ class: 'brief', days: 0 }] },
  ),
  'a baseline without a policy': said({
    state: (s) => ({ ...s, repeated: s.repeated.filter(({ index }) => index !== 3) }),
  }),
  'a baseline without an exception from a policy': said(
    {
      state: (s) => ({
        ...s,
        repeated: s.repeated.filter(
          ({ entry }) => parseEntry(Buffer.from(entry, 'base64')).kind !== 'policy.override',
        ),
      }),
    },
    exceptedRun({}),
  ),
  'a baseline with another head': said({
    state: (s) => ({ ...s, heads: s.heads.map((head) => ({ ...head, seq: head.seq + 1 })) }),
  }),
  'a baseline with other totals of privacy': said(
    { state: (s) => ({ ...s, ledgers: s.ledgers.map((total) => ({ ...total, after: '0.1' })) }) },
    counted,
  ),
  'a baseline that the coordinator did not propose': rewritten((log) => {
    log.entries.splice(writeBaseline(log, ['site-2']), 1);
  }),
  'a baseline while a run is under way': rewritten(underWay, { omit: (kind) => kind === 'run.finish' }),
};
