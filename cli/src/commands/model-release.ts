import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { RegulonError } from '@regulon/shared/errors';
import {
  attachmentOf,
  MediaType,
  NOT_PROTECTED,
  faultsOfRelease,
  faultsOfTerms,
  faultsOfTests,
  type FederationKeys,
  isApproved,
  parseAttackReport,
  readBundle,
  refuseIdentifiers,
  releaseDocument,
  type ReleaseDocument,
  type ReleaseTerms,
} from '@regulon/shared/transparency';
import { decimalOf } from '@regulon/shared/plan';
import type { CoordinatorApi } from '../api-client/index.js';
import { attachmentOfBundle, readableEntries } from '../audit/index.js';
import { Person } from '../enrolment/index.js';
import { readJsonFile, writeWhole } from '../files/index.js';
import type { CommandResult } from '../output/index.js';
import {
  digestOfRelease,
  fileTerms,
  keysInForce,
  type PlacedEntry,
  releasedFile,
  releasedRun,
  type ReleasedRun,
  releaseLines,
  reportsOf,
} from '../release/index.js';
import { base64, chainHead } from '../sim/index.js';
import { apiFor, connects, federationFor } from './connection.js';
import { confirm, type Context, handles } from './context.js';
import { keyFileOf, proposes, type ProposeOptions } from './proposing.js';
import { pulledBytes } from './pulled.js';
import { resolveRun } from './resolve-run.js';

interface ReleaseOptions extends ProposeOptions {
  readonly document: string;
  readonly arm: string;
  readonly use?: string;
  readonly report?: readonly string[];
  readonly signed?: readonly string[];
  readonly submit: boolean;
}

/** `regulon model release`: write what stewards sign, gather their signatures, hand it in. */
export function modelReleaseCommand(model: Command, context: Context): void {
  const command = proposes(
    connects(
      model
        .command('release')
        .description(
          'release the final model of a run; the steward of every contributing site signs the same document',
        )
        .argument('<run>', 'name, or a unique beginning'),
    ),
  )
    .requiredOption('--document <file>', 'what is signed; written when it is not there')
    .option('--arm <number>', 'of the run', '0')
    .option('--use <text>', 'intended use; stands in the log')
    .option('--report <file...>', 'attack reports of that model, by `regulon model test` at sites of the run')
    .option('--signed <file...>', 'documents that came back from stewards: their signatures are taken over')
    .option('--submit', 'hand the signed document in: the release stands in the log', false);
  handles<ReleaseOptions>(
    command,
    context,
    ([run = ''], options) => release(run, options, context),
    'federation',
  );
}

async function release(name: string, options: ReleaseOptions, context: Context): Promise<CommandResult> {
  const api = apiFor(options, context);
  const run = await resolveRun(api, name);
  const federation = federationFor(options, context);
  const { log, resolve } = await logOf(api);
  const ground = releasedRun(log, run, resolve);
  const keys = keysInForce(log, resolve);
  const { document: file, dryRun } = options;
  const known = existsSync(file)
    ? readJsonFile(file, releaseDocument, 'E_ARGUMENT')
    : await drafted({ api, run, fed: federation.id, ground, options });
  verifyTested(known, ground, keys);
  const document = gathered(known, options.signed ?? [], keys);
  const digest = digestOfRelease(document);
  const lines = [...releaseLines(document), `digest  ${digest}`];
  if (dryRun) return { data: { document, digest, index: null }, lines };
  writeWhole(file, `${JSON.stringify(document, null, 2)}\n`);
  if (!options.submit) {
    const missing = [...ground.run.sites.keys()]
      .filter((site) => !document.body.approvals.some((approval) => approval.site === site))
      .sort();
    const due =
      missing.length === 0
        ? '--submit hands it in'
        : `to be signed by the stewards of ${missing.join(', ')}: regulon site release ${file}`;
    return { data: { document, digest, index: null, missing }, lines: [...lines, due] };
  }
  const before = ground.releases.find(
    ({ entry }) => digestOfRelease({ ...document, run: entry.run, body: entry.body }) === digest,
  );
  if (before)
    return {
      data: { document, digest, index: before.index },
      lines: [`released before: entry ${before.index}`],
    };
  refuseFaults(faultsOfRelease(ground.run, document, document.body, keys));
  await confirm(context, options, `release ${document.body.model}? nobody can take it back`);
  const person = Person.fromKeyFile(keyFileOf(options, context), 'researcher', options.as);
  const statement = { kind: 'model.release', run, body: document.body } as const;
  const entry = person.seal(federation, statement, await chainHead(api, person), new Date());
  const { indexes } = await api.appendEntries({ entries: [base64(entry)], attachments: document.reports });
  return { data: { document, digest, index: indexes[0] }, lines: [`released: entry ${indexes[0]}`] };
}

/** The log that the coordinator shows; the stewards' signatures are what a release rests on. */
export async function logOf(api: CoordinatorApi): Promise<{
  log: readonly PlacedEntry[];
  resolve: (digest: string) => Uint8Array | undefined;
}> {
  const { files } = readBundle(await api.bundle());
  return { log: readableEntries(files), resolve: (digest) => attachmentOfBundle(files, digest) };
}

interface Draft {
  readonly api: CoordinatorApi;
  readonly run: string;
  readonly fed: string;
  readonly ground: ReleasedRun;
  readonly options: ReleaseOptions;
}

/** What stewards are asked to sign. @throws E_ARGUMENT, E_RELEASE */
async function drafted({ api, run, fed, ground, options }: Draft): Promise<ReleaseDocument> {
  const { use, arm: text, report: files = [] } = options;
  if (use === undefined)
    throw new RegulonError('E_ARGUMENT', '--use is missing: what the model is released for');
  const arm = Number(text);
  const model = ground.run.models.find((one) => one.arm === arm)?.model;
  if (model === undefined) throw new RegulonError('E_RELEASE', `${run} has no final model of arm ${text}`);
  const reports = files.map((file) => Uint8Array.from(readFileSync(file)));
  const tests = reports
    .map((bytes) => ({ site: parseAttackReport(bytes).site, report: attachmentOf(bytes, MediaType.json) }))
    .sort((a, b) => (a.site < b.site ? -1 : 1));
  const { specification, bytes: weights } = await pulledBytes(api, model);
  const terms: ReleaseTerms = {
    ...{ arm, model, format: 'safetensors', file: fileTerms(releasedFile(specification, weights)) },
    ...{ privacy: guaranteeOf(ground), intendedUse: use.normalize('NFC'), tests },
  };
  const body = { ...terms, approvals: [] };
  // not first when it is recorded, after stewards have signed
  refuseIdentifiers({ kind: 'model.release', body });
  return { schema: 'regulon.release/1', fed, run, body, reports: reports.map(base64) };
}

/** Total (ε, δ) of every site, as its ledger says. */
function guaranteeOf({ run }: ReleasedRun): ReleaseTerms['privacy'] {
  if (run.unit === null) return NOT_PROTECTED;
  const sites = [...run.sites].flatMap(([site, total]) =>
    total === null
      ? []
      : [{ site, epsilon: decimalOf(Number(total.epsilon.toPrecision(12))), delta: decimalOf(total.delta) }],
  );
  const unit = run.unit as Exclude<ReleaseTerms['privacy'], string>['unit'];
  return { unit, adjacency: 'add-remove', sites: sites.sort((a, b) => (a.site < b.site ? -1 : 1)) };
}

/** The gate: no release without an attack report of that very model. @throws E_RELEASE */
function verifyTested(document: ReleaseDocument, { run }: ReleasedRun, keys: FederationKeys): void {
  const reports = reportsOf(document);
  refuseFaults([
    ...faultsOfTerms(run, document, document.body),
    ...faultsOfTests(run, document, document.body, (digest) => reports.get(digest), keys),
  ]);
}

/** @throws E_RELEASE with the first of them */
function refuseFaults([fault]: readonly string[]): void {
  if (fault !== undefined) throw new RegulonError('E_RELEASE', fault);
}

/** Take over the signatures of documents that came back. @throws E_RELEASE for one of other terms, or not signed */
function gathered(
  document: ReleaseDocument,
  files: readonly string[],
  keys: FederationKeys,
): ReleaseDocument {
  const approvals = new Map(document.body.approvals.map((approval) => [approval.site, approval]));
  for (const file of files) {
    const back = readJsonFile(file, releaseDocument, 'E_ARGUMENT');
    if (digestOfRelease(back) !== digestOfRelease(document))
      throw new RegulonError('E_RELEASE', `${file} is about another release`);
    for (const approval of back.body.approvals) {
      if (!isApproved(document, document.body, approval, keys.member(approval.site)))
        throw new RegulonError(
          'E_RELEASE',
          `${file}: the signature of ${approval.site} is not its steward's`,
        );
      approvals.set(approval.site, approval);
    }
  }
  const sorted = [...approvals.values()].sort((a, b) => (a.site < b.site ? -1 : 1));
  return { ...document, body: { ...document.body, approvals: sorted } };
}
