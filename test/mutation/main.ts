/** `npm run mutate`: every mutant of a folder against its tests; what survives is a check that no test holds. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compilerOf } from './compiler.js';
import { TreeCopy, type Spec } from './copy.js';
import { CHECK, type Mutant, mutantsOf } from './mutants.js';
import { QuickTests } from './quick-tests.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const WORKSPACE = 'shared';
const FOLDER = `${WORKSPACE}/src/secagg`;
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

const refuses = compilerOf(join(ROOT, WORKSPACE));

const copy = new TreeCopy(ROOT);
const quick = new QuickTests(ROOT, WORKSPACE);

/** `server` of server-order.spec.ts and server-core.ts: specs of the same part find most mutants of a file. */
const partOf = (path: string): string | undefined => path.split('/').at(-1)?.split(/[-.]/)[0];
const nearestFirst = (file: string, specs: readonly Spec[]): string[] =>
  specs
    .map(({ path }) => path)
    .sort((a, b) => Number(partOf(b) === partOf(file)) - Number(partOf(a) === partOf(file)));

/** The compiler is asked first: what it refuses cannot come into the product, and is no mutant that a test must find. */
async function fateOf({ file, line, source }: Place, specs: readonly Spec[]): Promise<Fate> {
  if (refuses(join(ROOT, file), source)) return 'does not compile';
  const reaching = specs.filter(({ reached }) => reached.has(`${file}:${line}`));
  const [fast, slow] = [reaching.filter((spec) => spec.quick), reaching.filter((spec) => !spec.quick)];
  if (!(await quick.accepts(file, source, nearestFirst(file, fast)))) return 'killed';
  if (!(await copy.accepts(file, source, slow))) return 'killed';
  return reaching.length > 0 ? 'SURVIVED' : 'SURVIVED: no spec runs it';
}

async function specsOf(): Promise<Spec[]> {
  const specs = await copy.measure(SPECS, FOLDER);
  const near = specs.filter(({ path }) => path.startsWith(FOLDER));
  const file = mutantsOfFolder()[0]?.file ?? `${FOLDER}/index.ts`;
  const unchanged = readFileSync(join(ROOT, file), 'utf8');
  for (const spec of near) spec.quick = await quick.accepts(file, unchanged, [spec.path]);
  return specs;
}

try {
  const mutants = mutantsOfFolder();
  say(`${mutants.length} mutants; the specs without any mutant, with coverage:`);
  const specs = await specsOf();
  specs.forEach(({ path, duration, quick }) => say(`  ${path} ${duration} ms${quick ? ', quick' : ''}`));
  const counts = new Map<string, number>();
  for (const [i, mutant] of mutants.entries()) {
    const fate = await fateOf(mutant, specs);
    const kind = mutant.change.startsWith(CHECK) ? CHECK : 'other';
    counts.set(`${kind}: ${fate}`, (counts.get(`${kind}: ${fate}`) ?? 0) + 1);
    const line = `${fate} ${mutant.file}:${mutant.line} ${mutant.change}`;
    say(`${i + 1}/${mutants.length} ${line}`);
    if (fate !== 'killed') process.stdout.write(`${line}\n`);
  }
  for (const [fate, count] of counts) process.stdout.write(`${count} of ${mutants.length} ${fate}\n`);
} finally {
  copy.remove();
  quick.remove();
}
