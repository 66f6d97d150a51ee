import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import ts from 'typescript';

const LIMIT_MS = 120_000;

/**
 * Compiled specs of one workspace in a thread, on a copy of its `dist`: a tenth of the time that jest takes.
 *
 * Only specs that pass here without a mutant are used: those that replace modules need jest.
 */
export class QuickTests {
  private readonly folder = mkdtempSync(join(tmpdir(), 'regulon-quick-'));
  private readonly options: ts.CompilerOptions;

  /** @param workspace folder name of the workspace, built */
  constructor(
    root: string,
    private readonly workspace: string,
  ) {
    const own = join(this.folder, workspace);
    cpSync(join(root, workspace, 'dist'), join(own, 'dist'), { recursive: true });
    cpSync(join(root, workspace, 'package.json'), join(own, 'package.json'));
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'));
    const globals = join(own, 'node_modules/@jest/globals');
    mkdirSync(globals, { recursive: true });
    writeFileSync(join(globals, 'package.json'), '{"type":"module","exports":"./index.js"}');
    const real = new URL('./quick-globals.js', import.meta.url).href;
    writeFileSync(join(globals, 'index.js'), `export * from ${JSON.stringify(real)};\n`);
    const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), (path) =>
      readFileSync(path, 'utf8'),
    ) as { config: { compilerOptions: object } };
    const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
    // a text alone has no package.json that makes it an ES module
    this.options = { ...options, module: ts.ModuleKind.ES2022 };
  }

  /** @returns whether the specs pass, in their order */
  pass(specs: readonly string[]): Promise<boolean> {
    if (specs.length === 0) return Promise.resolve(true);
    const workerData = specs.map((spec) => pathToFileURL(this.compiled(spec)).href);
    const worker = new Worker(new URL('./quick-worker.js', import.meta.url), {
      workerData,
      stdout: true,
      stderr: true,
    });
    return new Promise((resolve) => {
      const timer = setTimeout(() => void worker.terminate(), LIMIT_MS);
      let passed = false;
      worker.on('message', (value) => (passed = value === true));
      worker.on('error', () => (passed = false));
      worker.on('exit', () => {
        clearTimeout(timer);
        resolve(passed);
      });
    });
  }

  /** @returns whether the specs pass with another text of one file */
  async accepts(file: string, source: string, specs: readonly string[]): Promise<boolean> {
    const path = this.compiled(file);
    const original = readFileSync(path);
    writeFileSync(path, ts.transpileModule(source, { compilerOptions: this.options }).outputText);
    try {
      return await this.pass(specs);
    } finally {
      writeFileSync(path, original);
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  /** shared/src/secagg/x.ts → the copied shared/dist/secagg/x.js */
  private compiled(path: string): string {
    const inside = path.slice(`${this.workspace}/src/`.length).replace(/\.ts$/, '.js');
    return join(this.folder, this.workspace, 'dist', inside);
  }
}
