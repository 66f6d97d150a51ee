import { type Case, changed } from './cases.js';

const condition = (text: string): (() => Case) => changed('plan.approve', { conditions: [text] });

/** Texts in which nobody is named. */
export const textsRight: Record<string, () => Case> = {
  'a condition in words': condition('only for the 412 tumours of ward 12/3, until 2027'),
  'a condition that is a digest': condition(`sha256:${'0123456789abcdef'.repeat(4)}`),
  'studies in registers': condition('as registered: NCT01234567, actrn 12619000123456'),
  'a sentence without spaces': condition(
    'この例外は倫理委員会の承認に基づき、希少疾患の研究のために必要であるため二名で承認します1',
  ),
  'a long word': condition('Forschungsdatenplattformverbundkoordinationszentrum'),
  'a project that is no barcode': condition('as in TCGA-OV-tumours'),
  'a charge with many digits': changed('round.contribution', {
    charge: { ledgerSeq: 0, before: '0', after: '0.123456789', event: 'dp-sgd' },
  }),
};

/** Texts that look like a person, a sample or a secret. */
export const textsWrong: Record<string, () => Case> = {
  'an e-mail address in capitals': condition('ASK JANE@HOSPITAL.EXAMPLE'),
  'an e-mail address behind a space of another script': condition('ask\u00a0jane@hospital.example'),
  'a barcode in small letters': condition('not tcga-a1-a0sb-01'),
  'a date of birth': condition('born 3.4.1951'),
  'a date beside a letter': condition('b1951-04-03'),
  'a time and nothing else': condition('1951-04-03T00:00:00.000Z'),
  'a number and nothing else': condition('1234567'),
  'a number that is longer than one of a register': condition('NCT012345678901234'),
  'a number as a reason': changed('run.finish', { status: 'ABORTED', reason: '1234567', finalModel: null }),
  'a telephone number': condition('call +49 (0)30 1234-56'),
  'a telephone number with two zeros': condition('call 0049 30 12 34 56'),
  'a key in base64': condition('3q2+7wEjRWeJq83vASNFZ4mrze8BI0VniavN7wEjRWc'),
  'a run and nothing else': condition(`run_${'0123456789abcdef'.repeat(2)}`),
};
