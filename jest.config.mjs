import { availableParallelism } from 'node:os';

/** Jest runs the TypeScript sources as ES modules; child-process tests use the compiled `dist`. */
const swc = {
  swcrc: false,
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
};
export default {
  testEnvironment: 'node',
  roots: ['shared/src', 'client/src', 'coordinator/src', 'cli/src', 'test'].map((d) => `<rootDir>/${d}`),
  testMatch: ['**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
  moduleNameMapper: {
    '^@regulon/(shared|client|coordinator|cli)/(.*)$': '<rootDir>/$1/src/$2/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  // walks of many minutes each through real processes: `npm run test:walks`, which replaces this list
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/walks/'],
  modulePathIgnorePatterns: ['<rootDir>/(shared|client|coordinator|cli|test)/dist'],
  coverageProvider: 'v8',
  // ends what hangs; a busy machine may take long over what works
  testTimeout: 300_000,
  // What a file loads stays in the heap of its process, some 12 MB: all files in one process met the limit
  // of 4 GB. So workers run them, and one that has grown is replaced.
  maxWorkers: Math.max(2, Math.floor(availableParallelism() / 2)),
  workerIdleMemoryLimit: '1GB',
};
