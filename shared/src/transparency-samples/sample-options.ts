import { canonicalJsonBytes, hashJson, sha256, utf8 } from '../crypto/index.js';
import { type BaselineState, type BodyOf, digestText } from '../transparency/index.js';
import type { Losses } from '../secagg/secagg.support.js';
import { privatePlan, type SamplePrivacy } from './sample-privacy.js';

/** Declared use of a sample plan, and terms of its datasets: general research. */
export const SAMPLE_USE: readonly string[] = ['DUO:0000042'];

/** Canonical JSON of the plan of a sample run; its numbers are decimal strings, as in every attached plan. */
export const samplePlan = ({
  validated,
  maxWorsening,
  owners,
  privacy,
  combination,
  declares = SAMPLE_USE,
}: SampleOptions = {}): Uint8Array =>
  canonicalJsonBytes({
    plan: 'sample',
    purpose: 'research',
    dataUse: declares,
    ...(owners && {
      model: { blocks: [{ name: 'omic', owners: owners.map((id) => `site-${id}`) }, { name: 'head' }] },
    }),
    ...(validated && {
      training: { rounds: '4' },
      evaluation: {
        ...(maxWorsening === undefined ? {} : { maxWorsening }),
        every: '1',
        earlyStopping: { metric: 'loss', patience: '1', minDelta: '0' },
      },
    }),
    ...(privacy && privatePlan(privacy)),
    ...(combination && { secureAggregation: combination }),
  });

/** What every entry of a sample run shares. */
export const sample = {
  run: `run_${'07'.repeat(16)}`,
  runId: new Uint8Array(16).fill(7),
  code: digestText(sha256(utf8('software'))),
  dataset: 'expression',
} as const;

/** Digest text of the plan of a sample run. */
export const samplePlanHash = (options?: SampleOptions): string =>
  digestText(hashJson('plan', samplePlan(options)));

/** Canonical JSON of a site's policy. */
export const samplePolicyBytes = (site: string): Uint8Array => canonicalJsonBytes({ policy: `of ${site}` });

/** Digest text of a site's policy. */
export const samplePolicy = (site: string): string => digestText(sha256(samplePolicyBytes(site)));

/** Commitment of a site to its data, digest text. */
export const sampleCommitment = (site: string): string => digestText(sha256(utf8(`data of ${site}`)));

type Word = 'dataset.withdraw' | 'plan.approve' | 'plan.reject' | 'plan.withdraw' | 'policy.override';

/** What the steward of a site says beside policy, dataset and approval. */
export type StewardWord = {
  [K in Word]: {
    readonly site: string;
    readonly kind: K;
    readonly body: BodyOf<K>;
    /** sites whose administrators sign it, too; site-1 to site-3 have one */
    readonly seconds?: readonly number[];
  };
}[Word];

/** What a spec changes in a baseline before it is signed. */
export interface SpoiledBaseline {
  readonly state?: (state: BaselineState) => object;
  readonly body?: Partial<BodyOf<'log.baseline'>>;
}

/** What a spec changes in a pruning before it is signed. */
export interface SpoiledPruning extends SpoiledBaseline {
  readonly sites?: readonly string[];
  readonly prune?: Partial<BodyOf<'log.prune'>>;
}

/** Changes that make a run wrong in one way. */
export interface SampleOptions {
  /** members of the federation, all in the run; 5 by default */
  readonly sites?: number;
  /** training rounds of a run that is neither private nor validated; 2 by default */
  readonly trainingRounds?: number;
  /** every dataset is declared simulated (default) */
  readonly publicData?: boolean;
  /** site that commits to the same data again before the run, and calls them neither public nor simulated */
  readonly closedAgain?: number;
  /** `public` of run.start; by default what the datasets say */
  readonly claimPublic?: boolean;
  /** the aborted attempt was burnt, and the administrators reopened its round; an array: they name these contributors */
  readonly reopened?: boolean | readonly number[];
  /** mode of the gate: with `cosigned` all sites cosign the checkpoint after run.start and the last one */
  readonly gateMode?: 'signed' | 'cosigned';
  /** each round's gate is opened by a checkpoint of its own; by default one opens all */
  readonly freshGates?: boolean;
  /** entries before the run go, once the sites have approved its plan */
  readonly pruned?: SpoiledPruning;
  /** how long entries are kept at least */
  readonly retention?: { class: string; days: number }[];
  /**
   * loss of the validation round after each training round, in place of two rounds of training alone; the plan trains at
   * most four, and stops after the first that does not lower the loss
   */
  readonly validated?: readonly string[];
  /** validation gate of that plan */
  readonly maxWorsening?: string;
  /** roster ids that own a block of the model; by default all sites train all of it */
  readonly owners?: readonly number[];
  /** the proposal says who built the software with this digest */
  readonly builtCode?: string;
  /** what the plan declares of the use of data; anything, as an attacker writes it */
  readonly declares?: unknown;
  /** sites whose approvals their administrators sign, too; site-1 to site-3 have one */
  readonly seconded?: readonly number[];
  /** how the plan combines the groups of a round; the rounds have none */
  readonly combination?: { readonly combine?: string; readonly trim?: string; readonly tileFactor?: string };
  /**
   * models that follow from the sums: word of every coordinate that each site sends in the training rounds, in their order,
   * the last one from then on
   */
  readonly words?: readonly number[];
  /** the list of models of run.finish is an attachment */
  readonly attachModels?: boolean;
  /**
   * the first training round is run by sites and a coordinator that count another number of members in their thresholds,
   * as those who collude could
   */
  readonly lax?: { readonly members: number; readonly losses: Losses };
  /** site whose upload is lost in the first training round */
  readonly lost?: number;
  /** sites that say what left them; none by default */
  readonly egress?: readonly number[];
  /** the plan protects each patient: two training rounds and nothing else */
  readonly privacy?: SamplePrivacy;
  /** changes the body of an entry before it is signed; `seen` counts entries of this kind from 0 */
  readonly spoil?:
    undefined | ((kind: string, body: Record<string, unknown>, seen: number) => Record<string, unknown>);
  /** what a steward says before an entry of some kind is written; `seen` counts entries of this kind from 0 */
  readonly before?: (kind: string, seen: number) => StewardWord | undefined;
  /** leaves an entry out */
  readonly omit?: (kind: string, seen: number) => boolean;
}
