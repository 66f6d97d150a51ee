import { utf8 } from '@regulon/shared/crypto';
import {
  forkedNote,
  type SampleLog,
  twinOfFirstPolicy,
  writeAnchor,
  writeEvidence,
  writeRefusal,
  writeReport,
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
  'evidence that is no entry': said((log) => writeEvidence(log, 'entries', [first(log), utf8('{}')])),
};
