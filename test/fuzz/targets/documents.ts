import { canonicalJsonBytes, equalBytes, utf8 } from '@regulon/shared/crypto';
import {
  decodeSpecification,
  emptySpecification,
  encodeSpecification,
  parseLabelRule,
  specificationDigest,
} from '@regulon/shared/genomics';
import {
  parsePlan,
  parseStrict,
  planHashOf,
  signedRosterSchema,
  verifyInForce,
  verifyRoster,
} from '@regulon/shared/plan';
import { contractOf, decodeContractFile, encodeContractFile, parseRunName } from '@regulon/shared/program';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import { RegulonError } from '@regulon/shared/errors';
import { changeJson } from '../grammar/json.js';
import { changeLines } from '../grammar/text.js';
import { mustHold, type Target } from '../harness/target.js';
import { examplePlan } from './example-plan.js';
import { digestOf } from './wire.js';

const textOf = (input: Uint8Array): string => new TextDecoder().decode(input);

/** JSON of a file; the readers of files refuse what is none before the decoder under test begins. */
function jsonOf(input: Uint8Array): unknown {
  try {
    return JSON.parse(textOf(input));
  } catch {
    throw new RegulonError('E_CONFIG', 'not JSON');
  }
}

/** Signed rosters, as daemons and coordinators read them. */
const roster: Target = {
  name: 'roster',
  codes: ['E_ROSTER', 'E_CONFIG'],
  examples: () => new SampleFederation(3).genesis.attachments.slice(0, 1),
  run(input) {
    const signed = parseStrict(signedRosterSchema, jsonOf(input), 'roster', 'E_ROSTER');
    const verified = verifyRoster(signed);
    mustHold(new Set(verified.members.map((m) => m.key)).size === verified.members.length, 'a key twice');
    verifyInForce(verified, Date.UTC(2026, 5));
  },
  change: changeJson,
  inputs: 1_500,
};

/** What the coordinator sends before a run, up to the contract that the daemon derives. */
const contract: Target = {
  name: 'run-contract',
  codes: ['E_MESSAGE', 'E_PLAN', 'E_POLICY', 'E_CATALOGUE'],
  examples: () => [
    encodeContractFile({
      ...{ run: `run_${'07'.repeat(16)}`, plan: parsePlan(examplePlan()), isPublic: true },
      ...{ panel: { digest: '00'.repeat(32), size: 12 }, entries: [digestOf(1), utf8('{}')] },
    }),
  ],
  run(input) {
    const file = decodeContractFile(input);
    const again = encodeContractFile(decodeContractFile(encodeContractFile(file)));
    mustHold(equalBytes(again, encodeContractFile(file)), 'a contract that changes when it is written');
    const panel = { digest: Buffer.from(file.panel.digest, 'hex'), size: file.panel.size };
    const more = { runId: parseRunName(file.run), plan: file.plan, isPublic: file.isPublic };
    contractOf({ ...more, panel, roster: federationRoster });
  },
  change: changeJson,
  inputs: 1_500,
};
const { roster: federationRoster } = new SampleFederation(5);

const plan: Target = {
  name: 'plan',
  codes: ['E_PLAN', 'E_CONFIG', 'E_CATALOGUE'],
  examples: () => [canonicalJsonBytes(examplePlan())],
  run(input) {
    const parsed = parsePlan(jsonOf(input));
    mustHold(
      equalBytes(planHashOf(parsePlan(structuredClone(parsed))), planHashOf(parsed)),
      'a plan with two digests',
    );
  },
  change: changeJson,
  inputs: 1_500,
};

const specification: Target = {
  name: 'feature-specification',
  codes: ['E_MESSAGE'],
  examples: () => {
    const empty = emptySpecification({ panelDigest: digestOf(1), genes: 6 });
    const keptGenes = Uint32Array.of(0, 2, 5);
    return [
      encodeSpecification(empty),
      encodeSpecification({
        ...empty,
        keptGenes,
        steps: [
          { step: 'log2-cpm' },
          { step: 'variance', mean: Float64Array.of(1, 2, 3), variance: Float64Array.of(1, 1, 2), keptGenes },
          { step: 'z-score', mean: Float64Array.of(1, 2, 3), sd: Float64Array.of(1, 1, 2) },
        ],
      }),
    ];
  },
  run(input) {
    const decoded = decodeSpecification(input);
    const again = decodeSpecification(encodeSpecification(decoded));
    mustHold(
      equalBytes(specificationDigest(again), specificationDigest(decoded)),
      'a specification with two digests',
    );
  },
  change: changeJson,
  words: ['{"u32":"AAAA"}', '{"f64":"AAAAAAAA+H8="}', '{"u32":"="}'],
};

const RULES = [
  'Lum and not is_LumA',
  "stage >= 3 or subtype == 'Basal'",
  'not (a or (b and `c d`)) and x != -1.5e3',
];

const labelRule: Target = {
  name: 'label-rule',
  codes: ['E_LABEL'],
  examples: () => RULES.map(utf8),
  run(input) {
    const rule = parseLabelRule(textOf(input));
    mustHold(rule.columns.length > 0, 'a rule without a column');
    for (const cell of [null, 0, 1, 3, 'Basal']) rule.evaluate(() => cell);
  },
  change: changeLines(['and', 'or', 'not', '(', ')', '==', '>=', "'x'", '"', '`', '1', 'x', '\u00e9']),
  words: ['not ', '(', ')', ' and ', '\u2028'],
};

/** Documents of a federation, a run and a model. */
export const documentTargets = (): Target[] => [roster, contract, plan, specification, labelRule];
