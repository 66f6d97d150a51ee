import { type Case, changed, other, run } from './cases.js';

const all = { egress: [1, 2, 3, 4, 5] } as const;
const wrong = (fields: Record<string, unknown>): (() => Case) => changed('egress.receipt', fields, 6, all);

/** Logs of sites that say what left them, all of them or some. */
export const receiptsRight: Record<string, () => Case> = {
  'receipts of all that left': run(all),
  'receipts of two sites': run({ egress: [2, 4] }),
  'a receipt that is missing': run({ ...all, omit: (kind, seen) => kind === 'egress.receipt' && seen === 3 }),
};

/** Receipts that are not those of the uploads. */
export const receiptsWrong: Record<string, () => Case> = {
  'a receipt of another vector': wrong({ digest: other }),
  'a receipt of fewer bytes': wrong({ bytes: 1024 }),
  'a receipt of two vectors': wrong({ count: 2 }),
  'a receipt of another attempt': wrong({ context: other }),
  'a receipt under another policy': wrong({ rule: other }),
  'a receipt of a charge that was not made': wrong({ charge: 3 }),
  'a receipt of a kind that the policy does not let out': wrong({ kind: 'raw-counts' }),
  'a receipt of an upload that was not logged': run({
    ...all,
    omit: (kind, seen) => kind === 'round.contribution' && seen === 6,
  }),
};
