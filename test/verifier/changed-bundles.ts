import { canonicalJsonBytes, sha256, utf8 } from '@regulon/shared/crypto';
import {
  assembleEntry,
  formatVkey,
  KeyType,
  parseEntry,
  signCheckpoint,
  signPayload,
  verifierKeyOf,
} from '@regulon/shared/transparency';
import { SampleLog, sampleRun } from '@regulon/shared/transparency-samples';
import { type Case, changed, cosigned, flipped, rewritten, run, withFiles } from './cases.js';

const entryPath = 'tile/entries/000.p/68';
const policyPath = (log: SampleLog): string => SampleLog.pathOf(utf8(log.policy));
const rosterPath = ({ history }: SampleLog): string =>
  `attachments/sha256/${history.at(0).genesis.roster.digest.slice('sha256:'.length)}`;
const indexOf = (log: SampleLog, kind: string): number =>
  log.entries.findIndex((bytes) => parseEntry(bytes).kind === kind);

/** Bytes of the bundle that somebody changed. */
export const tampered: Record<string, () => Case> = {
  'a flipped byte of entry 0': withFiles((files) => files.set(entryPath, flipped(files.get(entryPath), 300))),
  'a flipped byte of a length': withFiles((files) => files.set(entryPath, flipped(files.get(entryPath), 0))),
  'a flipped byte of a later entry': withFiles((files) => {
    const bytes = files.get(entryPath);
    files.set(entryPath, flipped(bytes, Buffer.from(bytes ?? []).indexOf('"commitment"') + 1));
  }),
  'a flipped byte of a hash tile': withFiles((files) =>
    files.set('tile/0/000.p/68', flipped(files.get('tile/0/000.p/68'), 32 * 7)),
  ),
  'a missing hash tile': withFiles((files) => void files.delete('tile/0/000.p/68')),
  'a tile too many': withFiles((files) => files.set('tile/3/000.p/1', new Uint8Array(32))),
  'a changed key file': withFiles((files) =>
    files.set('keys/log.vkey', flipped(files.get('keys/log.vkey'), 0)),
  ),
  'a key file too many': withFiles((files) => files.set('keys/site-x.vkey', utf8('x'))),
  'a stray attachment': withFiles((files) => files.set(SampleLog.pathOf(utf8('stray')), utf8('stray'))),
  'a reopened round of a log without its roster': withFiles(
    (files, log) => void files.delete(rosterPath(log)),
    { reopened: true },
  ),
  'a log without its quorum policy': withFiles((files, log) => void files.delete(policyPath(log))),
  'a log with another quorum policy': withFiles((files, log) =>
    files.set(policyPath(log), flipped(files.get(policyPath(log)), 0)),
  ),
  'a cut archive': () => {
    const { bundle, policy } = run({})();
    return { bundle: bundle.slice(0, -1), policy };
  },
  'a checkpoint of another key': withFiles((files, log) => {
    const { origin } = log.federation.genesis;
    const signer = { keyName: origin, seed: new Uint8Array(32).fill(3) };
    files.set('checkpoint', utf8(signCheckpoint({ origin, size: 68, root: log.rootAt(68) }, signer)));
  }),
  'a checkpoint with another root': withFiles((files, log) => {
    const { origin } = log.federation.genesis;
    const signer = { keyName: origin, seed: log.federation.logSeed };
    files.set('checkpoint', utf8(signCheckpoint({ origin, size: 68, root: sha256() }, signer)));
  }),
  'a genesis that names other retention classes than its roster': rewritten((log) => {
    const { federation } = log;
    const { sigs, ...genesis } = parseEntry(federation.genesisEntry);
    const body = { ...genesis.body, retention: [{ class: 'brief', days: 0 }] };
    const payload = canonicalJsonBytes({ ...genesis, body });
    const sites = federation.roster.members.map(({ name }) => federation.signer('site', name));
    const all = [federation.signer('coordinator', 'coordinator'), ...sites];
    if (all.length !== sigs.length) throw new Error('other signers than those of entry 0');
    log.entries[0] = assembleEntry(
      payload,
      all.map((signer) => signPayload(payload, signer)),
    );
  }),
  'a lower policy': () => {
    const { bundle, policy } = run(cosigned)();
    return { bundle, policy: policy.replace('group sites 4', 'group sites 3') };
  },
  'a log under the policy of another one': () => {
    const log = sampleRun();
    const { origin } = log.federation.genesis;
    const key = verifierKeyOf({ keyName: origin, seed: new Uint8Array(32).fill(3) }, KeyType.log);
    return { ...run({})(), policy: log.policy.replace(/^log .*/, `log ${formatVkey(key)}`) };
  },
  'checkpoints of sites that are rubbish, of another key, or beyond the log': () => {
    const log = sampleRun();
    const other = log
      .note(12)
      .replace(/^(\u2014 \S+ )(.)(.)/mu, (_, before: string, a: string, b: string) => before + b + a);
    return { ...run({})(), siteCheckpoints: ['rubbish', other, log.note(12)] };
  },
  'a log that no site cosigned, under the policy of sites that do': () => ({
    ...run({})(),
    policy: run(cosigned)().policy,
  }),
  'cosigning sites under a policy without a quorum': () => ({ ...run(cosigned)(), policy: run({})().policy }),
};
for (const [what, at] of Object.entries({ first: 0, middle: 8, last: -1 })) {
  const pathOf = (files: Map<string, Uint8Array>): string =>
    [...files.keys()].filter((path) => path.startsWith('attachments/')).at(at) ?? '';
  tampered[`a changed attachment, the ${what}`] = withFiles((files) =>
    files.set(pathOf(files), flipped(files.get(pathOf(files)), 0)),
  );
  tampered[`a missing attachment, the ${what}`] = withFiles((files) => void files.delete(pathOf(files)));
}

/** Logs that the coordinator changed and signed again. */
export const rewrites: Record<string, () => Case> = {
  'an edited entry of a site': rewritten((log) => {
    const at = indexOf(log, 'round.contribution');
    const entry = parseEntry(log.entries[at] ?? new Uint8Array(0));
    log.entries[at] = canonicalJsonBytes({ ...entry, body: { ...entry.body, band: '500+' } });
  }),
  'an entry left out': rewritten((log) => void log.entries.splice(4, 1)),
  'an entry twice': rewritten((log) => void log.entries.splice(30, 0, log.entries[4] ?? new Uint8Array(0))),
  'entries in another order': rewritten(
    (log) => void log.entries.splice(40, 0, ...log.entries.splice(22, 1)),
  ),
  'a genesis that fewer signed': rewritten((log) => {
    const entry = parseEntry(log.entries[0] ?? new Uint8Array(0));
    log.entries[0] = canonicalJsonBytes({ ...entry, sigs: entry.sigs.slice(0, 3) });
  }),
  'the checkpoint of a fork': () => {
    const fork = changed('policy.set', { retentionClass: 'other' }, 2);
    const log = sampleRun({
      spoil: (kind, body, seen) =>
        kind === 'policy.set' && seen === 2 ? { ...body, retentionClass: 'other' } : body,
    });
    return { ...run({})(), siteCheckpoints: [log.note(40)], policy: fork().policy };
  },
};
