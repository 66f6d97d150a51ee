import { canonicalJsonBytes, sha256, utf8 } from '@regulon/shared/crypto';
import type { SignedRoster } from '@regulon/shared/plan';
import {
  attachmentOf,
  type BodyOf,
  type LogEntry,
  MediaType,
  parseEntry,
  siteCheckpointPath,
  writeBundle,
} from '@regulon/shared/transparency';
import {
  joined,
  left,
  rotated,
  SampleLog,
  sampleRun,
  signSampleRoster,
} from '@regulon/shared/transparency-samples';
import { type Case, caseOf, cosigned, rewritten, run } from './cases.js';

const newSteward = sha256(utf8('new steward'));
const by = (roster: SignedRoster['roster'], admins = [1, 2, 3]): SignedRoster =>
  signSampleRoster(roster, admins);

function setPolicy(log: SampleLog, site: string): void {
  const { body, attachment } = log.federation.policyBody(site);
  log.attach(attachment, 'application/json');
  log.write(['steward', site], 'policy.set', {}, body);
}

/** A site joins, one leaves, a key is exchanged; the newcomer and the new key sign. */
function change(log: SampleLog): void {
  const six = joined(log.federation.roster, 6);
  const five = left(six, 2, 'compromised');
  log.change(by(six));
  setPolicy(log, 'site-6');
  log.change(by(five));
  log.change(by(rotated(five, 'steward', 3, newSteward), [1, 3, 6]));
  log.federation.exchange('steward', 'site-3', newSteward);
  setPolicy(log, 'site-3');
}

/** Logs of federations whose members change. */
export const goodMembers: Readonly<Record<string, () => Case>> = {
  'a log whose members change': rewritten(change, cosigned),
  'a log whose members change, in mode signed': rewritten(change),
  'a dataset that is withdrawn after its run': rewritten((log) => {
    const body = { dataset: 'expression', scope: 'all', reason: 'consent' } as const;
    log.write(['steward', 'site-2'], 'dataset.withdraw', {}, body);
  }),
};

/** The entry of a join whose roster, or whose body, is another one. */
const forged =
  (roster: (log: SampleLog) => SignedRoster, body: Partial<BodyOf<'member.join'>> = {}) =>
  (): Case => {
    const log = sampleRun(cosigned);
    const { roster: founding } = log.federation;
    const { body: good, attachments } = log.history.successionOf(by(joined(founding, 6)));
    attachments.slice(1).forEach((bytes) => log.attach(bytes, 'text/plain'));
    const attached = log.attach(canonicalJsonBytes(roster(log)), 'application/json');
    const said = { ...(good as BodyOf<'member.join'>), roster: attached, ...body };
    log.write(['coordinator', 'coordinator'], 'member.join', {}, said);
    return caseOf(log);
  };
const next = (log: SampleLog): SignedRoster['roster'] => joined(log.federation.roster, 6);

/** What a coordinator may try. */
export const wrongMembers: Readonly<Record<string, () => Case>> = {
  'a roster that too few administrators signed': forged((log) => by(next(log), [1, 2])),
  'a roster that the newcomer signed in place of an administrator': forged((log) => by(next(log), [1, 2, 6])),
  'a roster that skips a version': forged((log) => by({ ...next(log), version: 3 })),
  'a roster that follows another one': forged((log) => {
    const other = { ...next(log).follows!, rosterHash: '00'.repeat(32) };
    return by({ ...next(log), follows: other });
  }),
  'a roster that changes the rules beside a member': forged((log) =>
    by({ ...next(log), policy: { ...next(log).policy, nMin: 3 } }),
  ),
  'a change whose quorum policy is another one, and not there': forged((log) => by(next(log)), {
    quorumPolicy: attachmentOf(utf8('none'), MediaType.text),
  }),
  'a log without the quorum policy of a change': () => {
    const log = sampleRun(cosigned);
    change(log);
    const files = log.files();
    files.delete(SampleLog.pathOf(utf8(log.policy)));
    return { bundle: writeBundle(files), policy: log.policy };
  },
  'a change that says another quorum than its roster': forged((log) => by(next(log)), { quorum: 2 }),
  'a roster signed by an administrator who was removed': rewritten((log) => {
    const seven = joined(log.federation.roster, 7);
    const gone = left(seven, 3);
    log.change(by(seven));
    log.change(by(gone));
    const { body, attachments, kind } = log.history.successionOf(by(joined(gone, 6), [1, 2, 7]));
    attachments.slice(1).forEach((bytes) => log.attach(bytes, 'text/plain'));
    const roster = log.attach(canonicalJsonBytes(by(joined(gone, 6))), 'application/json');
    log.write(['coordinator', 'coordinator'], kind, {}, { ...body, roster });
  }, cosigned),
  'an exchanged key that the old one did not hand over': forged((log) =>
    by(rotated(log.federation.roster, 'steward', 3, newSteward, newSteward)),
  ),
  'a key that is exchanged without an administrator of its hospital': rewritten((log) => {
    const six = joined(log.federation.roster, 6);
    log.change(by(six));
    const exchanged = rotated(six, 'steward', 6, newSteward);
    const { body, attachments, kind } = log.history.successionOf(by(exchanged, [1, 2, 6]));
    attachments.slice(1).forEach((bytes) => log.attach(bytes, 'text/plain'));
    const roster = log.attach(canonicalJsonBytes(by(exchanged)), 'application/json');
    log.write(['coordinator', 'coordinator'], kind, {}, { ...body, roster });
  }, cosigned),
  'an entry under a key that was exchanged before it': rewritten((log) => {
    log.change(by(rotated(log.federation.roster, 'steward', 3, newSteward)));
    setPolicy(log, 'site-3');
  }, cosigned),
  'an entry of a steward whose site was removed': rewritten((log) => {
    log.change(by(left(log.federation.roster, 5)));
    setPolicy(log, 'site-5');
  }, cosigned),
  'a contribution of a site that was removed': rewritten((log) => {
    const given = log.entries
      .map((bytes) => parseEntry(bytes))
      .find(
        (e): e is LogEntry<'round.contribution'> =>
          e.kind === 'round.contribution' && e.actor.id === 'site-4',
      )!;
    log.change(by(left(log.federation.roster, 4)));
    const { run: of, round, attempt, body } = given;
    log.write(['site', 'site-4'], 'round.contribution', { run: of, round, attempt }, body);
  }, cosigned),
  'the policy of before a change': () => {
    const log = sampleRun(cosigned);
    const { policy } = log;
    change(log);
    return { bundle: log.bundle(), policy };
  },
  'a change that too few of the old members cosigned': () => {
    const log = sampleRun(cosigned);
    const index = log.change(by(left(log.federation.roster, 5)));
    const few = utf8(log.cosigned(index + 1, ['site-1', 'site-2', 'site-3']));
    const files = new Map([...log.files(), [siteCheckpointPath(index + 1), few]]);
    return { bundle: writeBundle(files), policy: log.policy };
  },
};

/** The steward of a site withdraws its dataset before the first entry of a kind. */
const withdrawnBefore = (kind: string): (() => Case) => {
  const body = { dataset: 'expression', scope: 'all', reason: 'consent' } as const;
  const word = { site: 'site-2', kind: 'dataset.withdraw', body } as const;
  return run({ before: (next, seen) => (next === kind && seen === 0 ? word : undefined) });
};

/** Datasets that were withdrawn, and used all the same. */
export const withdrawnData: Readonly<Record<string, () => Case>> = {
  'a run that starts over a withdrawn dataset': withdrawnBefore('run.start'),
  'a round over a withdrawn dataset': withdrawnBefore('round.open'),
};
