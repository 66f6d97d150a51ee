/** `npm run mutate`: every mutant of a folder against its tests; what survives is a check that no test holds. */
import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Mutant, mutantsOf } from './mutants.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDER = 'shared/src/secagg';
/** quick tests first: most mutants die there */
const STAGES = [[FOLDER], ['test/security/secagg']];
const LIMIT_MS = 180_000;
const OTHERS = /\.(spec|support)\.ts$|index\.ts$|-binary\.ts$|messages\.ts$/;

interface Place extends Mutant {
  readonly file: string;
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    change: { type: 'string', default: '' },
    every: { type: 'string', default: '1' },
  },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** A copy of what git knows of the tree: mutants are written there, never into the sources. */
function copyOfTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'regulon-mutants-'));
  const files = spawnSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' }).stdout.split('\0');
  for (const file of files.filter((name) => name !== '')) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(ROOT, file), join(copy, file));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** @returns whether the tests of a stage pass */
function passes(copy: string, stage: readonly string[]): Promise<boolean> {
  const jest = join(ROOT, 'node_modules/jest/bin/jest.js');
  const flags = [
    '--disable-warning=ExperimentalWarning',
    '--experimental-vm-modules',
    jest,
    '--bail',
    '-w',
    '1',
  ];
  const child = spawn(process.execPath, [...flags, ...stage], {
    cwd: copy,
    stdio: 'ignore',
    timeout: LIMIT_MS,
  });
  return new Promise((resolve) => child.on('exit', (code) => resolve(code === 0)));
}

async function survives(copy: string, { file, source }: Place): Promise<boolean> {
  const path = join(copy, FOLDER, file);
  const original = readFileSync(path);
  writeFileSync(path, source);
  try {
    for (const stage of STAGES) if (!(await passes(copy, stage))) return false;
    return true;
  } finally {
    writeFileSync(path, original);
  }
}

function mutantsOfFolder(): Place[] {
  const files = readdirSync(join(ROOT, FOLDER)).filter((name) => name.endsWith('.ts') && !OTHERS.test(name));
  const all = files
    .filter((file) => file.includes(values.only))
    .flatMap((file) =>
      mutantsOf(readFileSync(join(ROOT, FOLDER, file), 'utf8')).map((mutant) => ({ ...mutant, file })),
    );
  return all.filter(({ change }, i) => change.includes(values.change) && i % Number(values.every) === 0);
}

const copy = copyOfTree();
try {
  for (const stage of STAGES)
    if (!(await passes(copy, stage))) throw new Error(`${stage.join(' ')} fails without any mutant`);
  const mutants = mutantsOfFolder();
  const survivors: Place[] = [];
  for (const [i, mutant] of mutants.entries()) {
    const lives = await survives(copy, mutant);
    if (lives) survivors.push(mutant);
    say(
      `${i + 1}/${mutants.length} ${lives ? 'SURVIVED' : 'killed'} ${mutant.file}:${mutant.line} ${mutant.change}`,
    );
  }
  const killed = mutants.length - survivors.length;
  process.stdout.write(`${killed} of ${mutants.length} mutants killed\n`);
  for (const { file, line, change } of survivors)
    process.stdout.write(`survived ${file}:${line} ${change}\n`);
} finally {
  rmSync(copy, { recursive: true });
}
