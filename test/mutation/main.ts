/** `npm run mutate`: every mutant of a folder against its tests; what survives is a check that no test holds. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compilerOf } from './compiler.js';
import { TreeCopy, type Spec } from './copy.js';
import { CHECK, type Mutant, mutantsOf } from './mutants.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDER = 'shared/src/secagg';
const SPECS = [FOLDER, 'test/security/secagg'];
const OTHERS = /\.(spec|support)\.ts$|index\.ts$|-binary\.ts$|messages\.ts$/;

interface Place extends Mutant {
  /** path from the root */
  readonly file: string;
}

type Fate = 'killed' | 'SURVIVED' | 'SURVIVED: no spec runs it' | 'does not compile';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    change: { type: 'string', default: '' },
    /** of the mutants that leave no check out, every n-th */
    every: { type: 'string', default: '1' },
  },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);

function mutantsOfFolder(): Place[] {
  const files = readdirSync(join(ROOT, FOLDER)).filter((name) => name.endsWith('.ts') && !OTHERS.test(name));
  const all = files
    .filter((name) => name.includes(values.only))
    .map((name) => `${FOLDER}/${name}`)
    .flatMap((file) =>
      mutantsOf(readFileSync(join(ROOT, file), 'utf8')).map((mutant) => ({ ...mutant, file })),
    );
  const chosen = all.filter(({ change }) => change.includes(values.change));
  const others = chosen.filter(({ change }) => !change.startsWith(CHECK));
  return chosen.filter((mutant) => {
    const place = others.indexOf(mutant);
    return place < 0 || place % Number(values.every) === 0;
  });
}

const refuses = compilerOf(join(ROOT, 'shared'));

/** The compiler is asked first: what it refuses cannot come into the product, and is no mutant that a test must find. */
async function fateOf(copy: TreeCopy, specs: readonly Spec[], { file, line, source }: Place): Promise<Fate> {
  if (refuses(join(ROOT, file), source)) return 'does not compile';
  const reaching = specs.filter(({ reached }) => reached.has(`${file}:${line}`));
  if (!(await copy.accepts(file, source, reaching))) return 'killed';
  return reaching.length > 0 ? 'SURVIVED' : 'SURVIVED: no spec runs it';
}

const mutants = mutantsOfFolder();
const copy = new TreeCopy(ROOT);
try {
  say(`${mutants.length} mutants; the specs without any mutant, with coverage:`);
  const specs = await copy.measure(SPECS, FOLDER);
  specs.forEach(({ path, duration }) => say(`  ${path} ${duration} ms`));
  const counts = new Map<Fate, number>();
  for (const [i, mutant] of mutants.entries()) {
    const fate = await fateOf(copy, specs, mutant);
    counts.set(fate, (counts.get(fate) ?? 0) + 1);
    const line = `${fate} ${mutant.file}:${mutant.line} ${mutant.change}`;
    say(`${i + 1}/${mutants.length} ${line}`);
    if (fate !== 'killed') process.stdout.write(`${line}\n`);
  }
  for (const [fate, count] of counts) process.stdout.write(`${count} of ${mutants.length} ${fate}\n`);
} finally {
  copy.remove();
}
