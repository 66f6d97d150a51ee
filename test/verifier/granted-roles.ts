import { type BodyOf, parseEntry } from '@regulon/shared/transparency';
import {
  firstEntryOf,
  personKey,
  type SampleLog,
  writeGrant,
  writeProposal,
  writeReport,
  writeRevoke,
} from '@regulon/shared/transparency-samples';
import { type Case, rewritten } from './cases.js';

const said = (say: (log: SampleLog) => unknown): (() => Case) => rewritten((log) => void say(log));
const soon = { validUntil: '2026-11-20T10:01:11.000Z' };
const exchanged = (log: SampleLog, seed: Uint8Array): SampleLog => {
  log.federation.exchange('researcher', 'r2', seed);
  return log;
};

/** A researcher signs a launch before the role ends; the log takes it so many seconds after the coordinator's word. */
function datedBack(log: SampleLog, seconds: number): void {
  writeGrant(log, 'r2', soon);
  for (let i = 0; i < seconds; i++) log.federation.clock();
  writeReport(log, 20);
  const { body } = log.entries.map(parseEntry).find((entry) => entry.kind === 'plan.propose') ?? {};
  const at = Date.parse(soon.validUntil) - 1000;
  log.add(
    firstEntryOf(['researcher', 'r2'], 'plan.propose', {}, body as BodyOf<'plan.propose'>, [], at - 1000),
  );
}

/** Logs whose people act in their roles. */
export const rolesRight: Record<string, () => Case> = {
  'a launch that arrives while the clocks may still differ': said((log) => datedBack(log, 200)),
  'a researcher with a granted role': said((log) => [writeGrant(log, 'r2'), writeProposal(log, 'r2')]),
  'a role that was made longer, and another taken away': said((log) => [
    ...[writeGrant(log, 'r2', soon), writeGrant(log, 'r2'), writeRevoke(log, 'r1')],
    writeProposal(log, 'r2'),
  ]),
};

/** Logs whose people act without a role, or got it in no right way. */
export const rolesWrong: Record<string, () => Case> = {
  'a launch without a role': said((log) => writeProposal(log, 'r2')),
  'a launch after the role ended': said((log) => [
    ...[writeGrant(log, 'r2', soon), writeProposal(log, 'r2')],
    ...[writeProposal(log, 'r2'), writeProposal(log, 'r2')],
  ]),
  'a launch after the role was taken away': said((log) => [
    ...[writeGrant(log, 'r2'), writeRevoke(log, 'r2'), writeProposal(log, 'r2')],
  ]),
  'a launch dated back to before the role ended': said((log) => datedBack(log, 400)),
  'a launch by a person of entry 0 without the role': said((log) => [
    ...[writeRevoke(log, 'r1'), writeProposal(log, 'r1')],
  ]),
  'a role that the coordinator did not sign': said((log) => writeGrant(log, 'r2', {}, false)),
  'a role under the key of another person': said((log) =>
    writeGrant(log, 'r2', { key: personKey(log, 'researcher', 'r1') }),
  ),
  'a role under the key of a site': said((log) =>
    writeGrant(exchanged(log, log.federation.seedOf('site', 'site-4')), 'r2'),
  ),
  'a role under a second key': said((log) => [
    writeGrant(log, 'r2'),
    writeGrant(exchanged(log, new Uint8Array(32).fill(5)), 'r2'),
  ]),
  'a role under a key that was revoked': said((log) => [
    ...[writeGrant(log, 'r2'), writeRevoke(log, 'r2'), writeGrant(log, 'r2')],
  ]),
  'a role taken from nobody': said((log) => writeRevoke(log, 'r2')),
  'a role that ends before it begins': said((log) =>
    writeGrant(log, 'r2', { validUntil: '2026-01-01T00:00:00.000Z' }),
  ),
};
