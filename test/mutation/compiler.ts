import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** Left-over names, and code that is never reached: no reason to refuse a mutant. */
const HARMLESS = new Set([6133, 6192, 6196, 7027]);

/**
 * What the compiler says of a file with another text, in the project that holds it.
 *
 * @param project folder with a `tsconfig.json`
 * @returns a function that is true for a text that does not compile: such a mutant cannot come into the product
 */
export function compilerOf(project: string): (path: string, source: string) => boolean {
  const config = ts.getParsedCommandLineOfConfigFile(join(project, 'tsconfig.json'), undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
      throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'));
    },
  });
  if (!config) throw new Error(`${project} has no tsconfig.json`);
  const texts = new Map<string, { readonly version: string; readonly text: string }>();
  const service = ts.createLanguageService({
    getCompilationSettings: () => config.options,
    getScriptFileNames: () => config.fileNames,
    getScriptVersion: (name) => texts.get(name)?.version ?? '0',
    getScriptSnapshot: (name) =>
      ts.sys.fileExists(name)
        ? ts.ScriptSnapshot.fromString(texts.get(name)?.text ?? readFileSync(name, 'utf8'))
        : undefined,
    getCurrentDirectory: () => project,
    getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
    fileExists: (name) => ts.sys.fileExists(name),
    readFile: (name) => ts.sys.readFile(name),
    directoryExists: (name) => ts.sys.directoryExists(name),
    getDirectories: (name) => ts.sys.getDirectories(name),
  });
  let version = 0;
  return (path, source) => {
    texts.set(path, { version: String(++version), text: source });
    const refused = service.getSemanticDiagnostics(path).some(({ code }) => !HARMLESS.has(code));
    texts.delete(path);
    return refused;
  };
}
