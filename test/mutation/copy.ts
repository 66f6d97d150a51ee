import { spawn, spawnSync, type StdioOptions } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

/** A spec, and what of the mutated folder it runs. */
export interface Spec {
  /** path from the root of the tree */
  readonly path: string;
  /** of its run with coverage, ms */
  readonly duration: number;
  /** `file:line`, paths from the root */
  readonly reached: ReadonlySet<string>;
  /** whether it runs without jest too */
  quick?: boolean;
}

interface FileCoverage {
  readonly path: string;
  readonly statementMap: Readonly<Record<string, { readonly start: { readonly line: number } }>>;
  readonly s: Readonly<Record<string, number>>;
}

/** One jest process runs quick specs together up to this part of all time, and slower ones alone: most mutants die in the first. */
const TOGETHER = 0.1;

/** A copy of what git knows of a tree: mutants are written there, never into the sources. */
export class TreeCopy {
  private readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'regulon-mutants-')));

  /** what the last jest process wrote */
  private said = '';

  constructor(private readonly root: string) {
    const { stdout } = spawnSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' });
    for (const file of stdout.split('\0').filter((name) => name !== '' && existsSync(join(root, name)))) {
      mkdirSync(dirname(join(this.folder, file)), { recursive: true });
      cpSync(join(root, file), join(this.folder, file));
    }
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'));
  }

  /**
   * Runs every spec of some folders alone, with coverage of one folder.
   *
   * @throws Error if a spec fails: no mutant could be told from it
   */
  async measure(folders: readonly string[], covered: string): Promise<Spec[]> {
    const specs: Spec[] = [];
    for (const path of folders.flatMap((folder) => this.specsIn(folder))) {
      const began = Date.now();
      const out = join(this.folder, 'coverage');
      const coverage = ['--coverage', '--coverageReporters=json', `--coverageDirectory=${out}`];
      if (!(await this.jest([path], 600_000, [...coverage, `--collectCoverageFrom=${covered}/*.ts`])))
        throw new Error(`${path} fails without any mutant:\n${this.said}`);
      specs.push({ path, duration: Date.now() - began, reached: this.reachedIn(out) });
    }
    return specs.sort((a, b) => a.duration - b.duration);
  }

  /** @returns whether the specs, quick ones first, pass with another text of one file */
  async accepts(file: string, source: string, specs: readonly Spec[]): Promise<boolean> {
    const path = join(this.folder, file);
    const original = readFileSync(path);
    writeFileSync(path, source);
    try {
      for (const group of groupsOf(specs)) {
        const limit = 60_000 + 10 * group.reduce((sum, { duration }) => sum + duration, 0);
        if (
          !(await this.jest(
            group.map((spec) => spec.path),
            limit,
          ))
        )
          return false;
      }
      return true;
    } finally {
      writeFileSync(path, original);
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  private specsIn(folder: string): string[] {
    const names = readdirSync(join(this.folder, folder)).filter((name) => name.endsWith('.spec.ts'));
    return names.map((name) => `${folder}/${name}`);
  }

  /** @returns whether the specs pass within a time, ms */
  private jest(specs: readonly string[], limit: number, more: readonly string[] = []): Promise<boolean> {
    const node = ['--disable-warning=ExperimentalWarning', '--experimental-vm-modules'];
    const jest = join(this.root, 'node_modules/jest/bin/jest.js');
    const args = [...node, jest, '--runInBand', '--bail', ...more, '--runTestsByPath', ...specs];
    const stdio: StdioOptions = ['ignore', 'ignore', 'pipe'];
    const child = spawn(process.execPath, args, { cwd: this.folder, stdio, timeout: limit });
    this.said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.said += text));
    return new Promise((resolve) => child.on('close', (code) => resolve(code === 0)));
  }

  private reachedIn(coverage: string): Set<string> {
    const text = readFileSync(join(coverage, 'coverage-final.json'), 'utf8');
    const files = Object.values(JSON.parse(text) as Record<string, FileCoverage>);
    const lines = files.flatMap(({ path, statementMap, s }) =>
      Object.entries(statementMap)
        .filter(([key]) => (s[key] ?? 0) > 0)
        .map(([, { start }]) => `${relative(this.folder, path)}:${start.line}`),
    );
    return new Set(lines);
  }
}

/** Neighbours in order of time, together up to a part of the sum. */
function groupsOf(specs: readonly Spec[]): Spec[][] {
  const groups: Spec[][] = [];
  const together = TOGETHER * specs.reduce((all, { duration }) => all + duration, 0);
  let sum = Infinity;
  for (const spec of specs) {
    if (sum + spec.duration > together) {
      groups.push([]);
      sum = 0;
    }
    groups.at(-1)?.push(spec);
    sum += spec.duration;
  }
  return groups;
}
