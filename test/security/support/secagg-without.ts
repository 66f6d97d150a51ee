import { jest } from '@jest/globals';
import nacl from 'tweetnacl';
import type * as SecAggModule from '@regulon/shared/secagg';
import type { Manifest, Thresholds, ThresholdInput } from '@regulon/shared/secagg';
import type { OpenedShares } from '../../../shared/src/secagg/r1-deal.js';

/** The protocol as `@regulon/shared/secagg` exports it. */
export type SecAgg = typeof SecAggModule;

type Exports = Record<string, unknown>;
interface Removal {
  /** file under shared/src that holds the defence */
  readonly file: string;
  /** exports that replace the real ones */
  readonly instead: (real: Exports) => Exports;
}

const thresholdsInstead = (change: (real: Thresholds, input: ThresholdInput) => Partial<Thresholds>) => ({
  file: 'secagg/thresholds',
  instead: ({ thresholds }: Exports) => {
    const real = thresholds as (input: ThresholdInput) => Thresholds;
    return { thresholds: (input: ThresholdInput) => ({ ...real(input), ...change(real(input), input) }) };
  },
});

/** What can be taken out of the real code, one defence each. */
const removals = {
  /** any signature passes */
  signatures: { file: 'crypto/ed25519', instead: () => ({ verifyEd25519: () => true }) },
  /** low-order points pass, as in plain NaCl */
  lowOrder: {
    file: 'crypto/box',
    instead: () => ({ boxBefore: (pk: Uint8Array, sk: Uint8Array) => nacl.box.before(pk, sk) }),
  },
  /** t of the semi-honest protocol: ⌊n/2⌋ + 1 */
  colludersInT: thresholdsInstead((_, { n }) => ({ t: Math.floor(n / 2) + 1 })),
  /** no quorum and no least number of survivors */
  minimumCohort: thresholdsInstead(({ t }, { n }) => ({ t: Math.min(t, n), quorum: 1, uMin: 1, h: 1 })),
  /** nobody is thought to collude */
  colluders: thresholdsInstead((_, { n }) => {
    const t = Math.floor(n / 2) + 1;
    return { c: 0, t, uMin: Math.max(t, 3), h: 3 };
  }),
  /** the groups of an attempt follow from the ids of its sites, which the coordinator chooses */
  rankedGroups: {
    file: 'secagg/sub-cohorts',
    instead: ({ subCohortsOf }: Exports) => ({
      subCohortsOf: (...[manifest, ctx, keys]: Parameters<typeof SecAggModule.subCohortsOf>) => {
        const real = (subCohortsOf as typeof SecAggModule.subCohortsOf)(manifest, ctx, keys);
        let from = 0;
        return real.map((group) => {
          const part = keys.slice(from, (from += group.keys.length));
          return { ...group, keys: part };
        });
      },
    }),
  },
  /** colluders are counted from the plan instead of the roster */
  rosterInC: {
    file: 'secagg/thresholds',
    instead: ({ thresholds }: Exports) => {
      const real = thresholds as (input: ThresholdInput) => Thresholds;
      return { thresholds: (input: ThresholdInput) => real({ ...input, M: input.N }) };
    },
  },
  /** R4 answers whoever confirmed the survivors */
  consistency: { file: 'secagg/r3-survivors', instead: () => ({ countConfirmations: () => 255 }) },
  /** R4 reveals both shares of every site */
  oneKind: {
    file: 'secagg/r4-answer',
    instead: () => ({
      answerEntries: (opened: readonly OpenedShares[]) =>
        opened.flatMap((o) => [
          { kind: 0, about: o.from, share: o.sb.slice(), r: o.rb.slice() },
          { kind: 1, about: o.from, share: o.ss.slice(), r: o.rs.slice() },
        ]),
    }),
  },
  /** the context does not cover the model */
  modelInContext: {
    file: 'secagg/manifest',
    instead: ({ ctxOf }: Exports) => ({
      ctxOf: (m: Manifest) => (ctxOf as (m: Manifest) => Uint8Array)({ ...m, modelHash: new Uint8Array(32) }),
    }),
  },
} satisfies Record<string, Removal>;

/** Name of a defence. */
export type Defence = keyof typeof removals;

/**
 * The real protocol without one of its defences: the positive control of an attack.
 *
 * Its files are loaded a second time beside the real ones; its errors have codes, but are of another class.
 */
export async function secaggWithout(defence: Defence): Promise<SecAgg> {
  const { file, instead }: Removal = removals[defence];
  const path = `../../../shared/src/${file}.js`;
  const real = (await import(path)) as Exports;
  jest.resetModules();
  jest.unstable_mockModule(path, () => ({ ...real, ...instead(real) }));
  const weak = await import('@regulon/shared/secagg');
  jest.unstable_unmockModule(path);
  jest.resetModules();
  return weak;
}

/** The real protocol whose sites do not look at the size of one cohort. */
export async function secaggWithoutSizeOf(cohort: 'U1' | 'U2' | 'both'): Promise<SecAgg> {
  jest.resetModules();
  const weak = await import('@regulon/shared/secagg');
  jest.resetModules();
  type Sized = { verifyCohort: (name: string, size: number) => void };
  const core = Object.getPrototypeOf(weak.SecAggClient.prototype) as Sized;
  const real = core.verifyCohort;
  core.verifyCohort = function (this: Sized, name, size): void {
    if (cohort !== 'both' && name !== cohort) real.call(this, name, size);
  };
  return weak;
}
