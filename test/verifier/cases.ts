import { digestText, writeBundle } from '@regulon/shared/transparency';
import { type SampleLog, type SampleOptions, sampleRun } from '@regulon/shared/transparency-samples';

/** What a verifier is given. */
export interface Case {
  readonly bundle: Uint8Array;
  readonly policy: string;
  readonly siteCheckpoints?: readonly string[];
  readonly asOf?: Date;
  /** level 2: sums and models by digest text */
  readonly kept?: ReadonlyMap<string, Uint8Array>;
  /** level 2: masked vectors by `round-attempt/site` */
  readonly masked?: ReadonlyMap<string, Uint8Array>;
}

export const cosigned = { gateMode: 'cosigned' } as const;
export const other = digestText(new Uint8Array(32).fill(9));
export const forged = `${'A'.repeat(86)}==`;

/** A run in which fields of the nth entry of a kind were changed before it was signed. */
export const changed =
  (kind: string, fields: Record<string, unknown>, nth = 0, more: SampleOptions = {}) =>
  (): Case => {
    const spoil: SampleOptions['spoil'] = (of, body, seen) =>
      of === kind && seen === nth ? { ...body, ...fields } : body;
    return caseOf(sampleRun({ ...more, spoil }));
  };
export const run = (options: SampleOptions) => (): Case => caseOf(sampleRun(options));
/** A run whose log was changed afterwards, and signed again. */
export const rewritten =
  (change: (log: SampleLog) => void, options: SampleOptions = {}) =>
  (): Case => {
    const log = sampleRun(options);
    change(log);
    return caseOf(log);
  };
/** A run in whose bundle files were changed. */
export const withFiles =
  (change: (files: Map<string, Uint8Array>, log: SampleLog) => void, options: SampleOptions = {}) =>
  (): Case => {
    const log = sampleRun(options);
    const files = log.files();
    change(files, log);
    return { bundle: writeBundle(files), policy: log.policy };
  };
export const caseOf = (log: SampleLog): Case => ({ bundle: log.bundle(), policy: log.policy });

/** Bytes with one bit changed. */
export const flipped = (bytes: Uint8Array | undefined, at: number): Uint8Array => {
  const copy = Uint8Array.from(bytes ?? []);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};
/** A run beside masked vectors that were kept. */
export const level2 =
  (kept: (masked: Map<string, Uint8Array>) => ReadonlyMap<string, Uint8Array>, options: SampleOptions = {}) =>
  (): Case => {
    const log = sampleRun(options);
    return { ...caseOf(log), masked: kept(new Map(log.masked)) };
  };
