import { sha256, utf8 } from '@regulon/shared/crypto';
import { type BodyOf, parseEntry } from '@regulon/shared/transparency';
import {
  firstEntryOf,
  forkedNote,
  SampleFederation,
  type SampleLog,
  sampleRun,
  twinGrants,
  twinOfFirstPolicy,
  twinsAfterExchange,
  twinsOfProposal,
  writeAnchor,
  writeEvidence,
  writeGrant,
  writeRefusal,
  writeReport,
  writeRevoke,
} from '@regulon/shared/transparency-samples';
import { type Case, rewritten } from './cases.js';

const said = (say: (log: SampleLog) => unknown): (() => Case) => rewritten((log) => void say(log));
const notes = (log: SampleLog, a: string, b: string): number =>
  writeEvidence(log, 'notes', [utf8(a), utf8(b)]);
const first = (log: SampleLog): Uint8Array => log.entries[1] ?? new Uint8Array(0);

/** Logs that say of their own states what is true. */
export const statedRight: Record<string, () => Case> = {
  'a report and an anchor': said((log) => [writeReport(log, 20), writeAnchor(log, 68)]),
  'two entries that a steward signed under one number': said((log) =>
    writeEvidence(log, 'entries', [first(log), twinOfFirstPolicy()]),
  ),
  'two entries of a researcher whose role is taken away later': said((log) => {
    writeEvidence(log, 'entries', twinsOfProposal(log));
    writeRevoke(log, 'r2');
  }),
  'two entries of a researcher whose role was taken away before': said((log) => {
    const twins = twinsOfProposal(log);
    writeRevoke(log, 'r2');
    writeEvidence(log, 'entries', twins);
  }),
  'two entries of a steward about a role': said((log) => writeEvidence(log, 'entries', twinGrants(log))),
  'a refusal of a state of the log': said((log) => writeRefusal(log, log.note(20), log.note(40))),
};

/** Logs whose evidence proves a fork, or nothing; reports and anchors of other logs. */
export const statedWrong: Record<string, () => Case> = {
  'a report on another root': said((log) => writeReport(log, 20, log.rootAt(21))),
  'a report on a later log': said((log) => writeReport(log, 69, log.rootAt(68))),
  'an anchor whose token dates another checkpoint': said((log) => writeAnchor(log, 20, 21)),
  'a refusal that shows a fork': said((log) => writeRefusal(log, log.note(20), forkedNote(log, 40))),
  'a refusal of a first checkpoint beyond the log': said((log) =>
    writeRefusal(log, null, forkedNote(log, 90)),
  ),
  'a refusal of what the log key did not sign': said((log) =>
    writeRefusal(log, null, forkedNote(log, 40, new Uint8Array(32))),
  ),
  'two signed checkpoints of one size': said((log) => notes(log, log.note(40), forkedNote(log, 40))),
  'evidence of no fork': said((log) => notes(log, log.note(40), log.note(20))),
  'evidence of entries with other numbers': said((log) =>
    writeEvidence(log, 'entries', [first(log), log.entries[2] ?? first(log)]),
  ),
  'evidence of one entry twice': said((log) => writeEvidence(log, 'entries', [first(log), first(log)])),
  'evidence of one entry with the signature of another': said((log) => {
    const { body, attachment } = log.federation.policyBody('site-1');
    log.attach(attachment, 'application/json');
    const both = [[], [log.federation.signer('site', 'site-2')]].map((others) =>
      firstEntryOf(['steward', 'site-1'], 'policy.set', {}, body, others),
    ) as [Uint8Array, Uint8Array];
    writeEvidence(log, 'entries', both);
  }),
  'evidence of an entry that was signed anew after an exchange of its key': said((log) =>
    writeEvidence(log, 'entries', twinsAfterExchange(log)),
  ),
  'evidence under a role that was given later': said((log) => {
    const other = sampleRun();
    writeEvidence(log, 'entries', twinsOfProposal(other));
    writeGrant(log, 'r2');
  }),
  'evidence under a role that had ended': said((log) =>
    writeEvidence(log, 'entries', twinsOfProposal(log, 'r2', Date.UTC(2027, 6, 1))),
  ),
  'evidence under a key that comes later': said((log) => {
    const twins = twinsAfterExchange(sampleRun());
    const key = sha256(utf8('new key of site-1'));
    const again = new SampleFederation(5, SampleFederation.ticking(Date.UTC(2026, 10, 20, 12)));
    again.exchange('site', 'site-1', key);
    const { body } = parseEntry(twins[1]);
    const twin = again.entry(['site', 'site-1'], 'dataset.commit', {}, body as BodyOf<'dataset.commit'>);
    writeEvidence(log, 'entries', [twins[1], twin]);
    twinsAfterExchange(log);
  }),
  'evidence that is no entry': said((log) => writeEvidence(log, 'entries', [first(log), utf8('{}')])),
};
