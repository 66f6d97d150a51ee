/** Who may import whom (ARCHITECTURE.md). TypeScript project references order the build but do not guard it. */
const forbid = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });
module.exports = {
  forbidden: [
    forbid('no-circular', {}, { circular: true }, 'cycles break Nest injection and reading order'),
    forbid('shared-is-a-leaf', { path: '^shared/src' }, { path: '^(client|coordinator|cli)/src' }),
    forbid('client-and-coordinator-apart', { path: '^client/src' }, { path: '^(coordinator|cli)/src' }),
    forbid('coordinator-and-client-apart', { path: '^coordinator/src' }, { path: '^(client|cli)/src' }),
    forbid(
      'shared-is-pure',
      { path: '^shared/src', pathNot: '\\.(spec|support)\\.ts$' },
      {
        path: 'node_modules/(@nestjs|@grpc|kysely|better-sqlite3|@tensorflow)|^(fs|net|http|http2|tls|fs/promises|child_process)$',
      },
    ),
    forbid(
      'one-importer-of-tweetnacl',
      { path: 'src', pathNot: '^shared/src/crypto' },
      { path: 'node_modules/tweetnacl' },
    ),
    forbid(
      'api-reaches-storage-through-services',
      { path: '^coordinator/src/api' },
      { path: '^coordinator/src/storage' },
    ),
    forbid(
      'ports-not-adapters',
      { path: '^coordinator/src/(rounds|aggregation|statistics)' },
      { path: '^coordinator/src/storage/(sql|blob)' },
    ),
    forbid(
      'tensorflow-only-in-training',
      { path: 'src', pathNot: '^client/src/training' },
      { path: 'node_modules/@tensorflow' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.depcruise.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
