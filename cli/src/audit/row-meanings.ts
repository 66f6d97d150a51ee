import type { VerifyReport } from '@regulon/shared/transparency';

type RowId = VerifyReport['rules'][number]['id'];

/** What a row that holds tells a person who knows neither logs nor cryptography. */
export const rowMeanings: Readonly<Record<RowId, string>> = {
  L1: 'Nothing in the log was changed, removed or put in another order since it was signed.',
  L2: 'Enough sites saw this same log: the coordinator cannot show each of them another one.',
  L3: 'Every statement was signed by the party that it names, and none of a party’s statements is missing.',
  L4: 'Nothing was dated back.',
  L5: 'What has to be kept is still there.',
  A1: 'A researcher started each run, for a purpose that every site allows, and declared a use within the terms of its data.',
  A2: 'The steward of each site approved exactly the plan that ran, before the site took part.',
  A3: 'The software that ran is the software that was approved.',
  A4: 'Exceptions from a policy, and what a policy asks two persons for, were signed by two.',
  S1: 'No sum was opened over fewer sites than the rules demand.',
  S2: 'No contribution of a single site could be opened, and each was announced beforehand.',
  S3: 'The sums were computed again from the masked uploads, with the same result to the bit.',
  S4: 'Every site went on from the same model after each round.',
  P1: 'Noise and clipping were as the plan promised.',
  P2: 'Privacy was paid for before data were used, and the cap was kept.',
  P3: 'Patients were drawn as the privacy calculation assumes.',
  P4: 'It is recorded where the noise came from.',
  D1: 'The log names no patient: no e-mail address, date, barcode or long number in a text.',
  D2: 'Small groups cannot be read from the numbers in the log.',
  R1: 'Each released model was approved.',
  R2: 'Each released model was tested for what it gives away of single patients.',
  X1: 'A site that had left, or data that were withdrawn, were not used again.',
};
