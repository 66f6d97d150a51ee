import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { readPlanFile, outlineOf } from '@regulon/cli/plan-file';
import { readDaemonConfig, readSitePolicy } from '@regulon/client/config';
import { type DatasetSource, loadDataset } from '@regulon/client/data';
import { parseConfig } from '@regulon/coordinator/config';
import { utf8 } from '@regulon/shared/crypto';
import type { ErrorCode } from '@regulon/shared/errors';
import type { Dice } from '../../security/support/dice.js';
import { changeJson } from '../grammar/json.js';
import { changeTable } from '../grammar/table.js';
import { changeLines } from '../grammar/text.js';
import { mustHold, type Target } from '../harness/target.js';
import { examplePlan } from './example-plan.js';

/** A folder for the files of the targets. */
const folder = (): string => mkdtempSync(join(tmpdir(), 'regulon-fuzz-'));

const YAML_WORDS: readonly string[] = [
  ...[
    '&a',
    '*a',
    '<<:',
    '!!binary',
    '!!set',
    '!x',
    '|',
    '>-',
    '? ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '---',
    '...',
    '%YAML 1.1',
  ],
  ...[
    '~',
    'null',
    'yes',
    '0o7',
    '0x1F',
    '.inf',
    '.nan',
    '1e400',
    '2026-01-01',
    '"\\x"',
    "'",
    '#',
    '\t',
    '\u0085',
    '&a [*a]',
  ],
];
const changeYamlLines = changeLines(YAML_WORDS);

/** YAML as text, or, where it is JSON, as a tree. */
function changeYaml(input: Uint8Array, dice: Dice): Uint8Array {
  return input[0] === 0x7b && dice.chance(2) ? changeJson(input, dice) : changeYamlLines(input, dice);
}

interface YamlFile {
  readonly name: string;
  readonly codes: readonly ErrorCode[];
  readonly value: Readonly<Record<string, unknown>>;
  readonly read: (path: string) => unknown;
}

function yamlTarget({ name, codes, value, read }: YamlFile): Target {
  const home = folder();
  const path = join(home, 'file.yaml');
  return {
    name,
    codes,
    examples: () => [utf8(stringify(value)), utf8(JSON.stringify(value))],
    run(input) {
      writeFileSync(path, input);
      mustHold(typeof read(path) === 'object', 'a configuration that is no object');
    },
    change: changeYaml,
    words: YAML_WORDS,
    inputs: 500,
    close: () => rmSync(home, { recursive: true }),
  };
}

const daemonConfig = {
  ...{ schema: 'regulon.daemon/1', site: 'site-1', stateFolder: 'state', federation: '../federation' },
  ...{ rosterHash: 'ab'.repeat(32), coordinator: { host: 'localhost', controlPort: 4001, bulkPort: 4002 } },
  ...{ tls: { cert: 'c', key: 'k', ca: 'ca' }, policyFile: 'policy.yaml' },
  dataset: {
    name: 'toy',
    kind: 'expression',
    scale: 'counts',
    unit: 'patient',
    counts: 'x.tsv',
    labels: 'y.tsv',
  },
};
const coordinatorConfig = {
  ...{
    schema: 'regulon.coordinator/1',
    federation: 'f',
    stateFolder: 's',
    keys: { statement: 'a', log: 'b' },
  },
  ...{ tls: { cert: 'c', key: 'd', ca: 'e' }, bearerTokenFile: 'g', rounds: { maxAttempts: 3 } },
};
const sitePolicy = { schema: 'regulon.site-policy/1', nMin: 5, purposes: ['research'], maxRounds: 200 };

const yamlTargets = (): Target[] => [
  yamlTarget({
    name: 'plan-file',
    codes: ['E_PLAN', 'E_MODEL_SHAPE', 'E_POLICY', 'E_RING_BOUND', 'E_LABEL', 'E_CATALOGUE'],
    value: examplePlan(),
    read: (path) => outlineOf(readPlanFile(path), 100),
  }),
  yamlTarget({ name: 'site-policy', codes: ['E_CONFIG'], value: sitePolicy, read: readSitePolicy }),
  yamlTarget({ name: 'daemon-config', codes: ['E_CONFIG'], value: daemonConfig, read: readDaemonConfig }),
  yamlTarget({
    name: 'coordinator-config',
    codes: ['E_CONFIG'],
    value: coordinatorConfig,
    read: (path) => parseConfig(readFileSync(path), '/'),
  }),
];

const MATRIX = 'gene\tu1\tu2\tu3\nG1\t3\t0\t12\nG2\t7\t1\t0\nG3\t1\t9\t4\n';
const LABELS = 'unit,subtype,stage\nu1,"Basal",2\nu2,LumA,NA\nu3,LumB,3\n';
const SERIES = 'ORF\tcdc15_10\tcdc15_30\tcdc15_50\nY1\t0.1\t-0.2\t0.3\nY2\t\t1.5\tNA\n';

interface DataFile {
  readonly name: string;
  readonly text: string;
  readonly source: (path: string, home: string) => DatasetSource;
}

/** A file of a hospital, read as the daemon reads it. */
function dataTarget({ name, text, source }: DataFile): Target {
  const home = folder();
  const path = join(home, 'data.txt');
  writeFileSync(join(home, 'matrix.tsv'), MATRIX);
  return {
    name,
    codes: ['E_DATA_FORMAT', 'E_DATA_NOT_FINITE', 'E_DATA_SCALE', 'E_DATA_DUPLICATE', 'E_LABEL_MISSING'],
    examples: () => [utf8(text)],
    async run(input) {
      writeFileSync(path, input);
      const { unitIds, genes, values, columns } = await loadDataset(source(path, home));
      mustHold(values.length === unitIds.length * genes.length, 'a matrix of another size than its names');
      for (const cells of columns.values())
        mustHold(cells.length === unitIds.length, 'a column of another length');
      mustHold(
        values.every((x) => !Number.isFinite(x) === Number.isNaN(x)),
        'an infinite value',
      );
    },
    change: changeTable,
    words: ['\t', ',', ';', '"', '\r\n', '\ufeff', '1e400', 'NA', '\u0000'],
    inputs: 600,
    close: () => rmSync(home, { recursive: true }),
  };
}

const dataTargets = (): Target[] => [
  dataTarget({
    name: 'matrix-file',
    text: MATRIX,
    source: (counts) => ({ counts, kind: 'expression', scale: 'counts' }),
  }),
  dataTarget({
    name: 'series-file',
    text: SERIES,
    source: (counts) => ({ counts, kind: 'series', scale: 'log-ratio', columnsPrefix: 'cdc15' }),
  }),
  dataTarget({
    name: 'label-file',
    text: LABELS,
    source: (labels, home) => ({
      counts: join(home, 'matrix.tsv'),
      labels,
      kind: 'expression',
      scale: 'counts',
    }),
  }),
];

/** Files that people and hospitals write. */
export const fileTargets = (): Target[] => [...yamlTargets(), ...dataTargets()];
