import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { openModel } from '@regulon/client/samples';
import { RegulonError } from '@regulon/shared/errors';
import {
  faultsOfTerms,
  faultsOfTests,
  isAttachment,
  type ReleaseDocument,
  releaseDocument,
  signRelease,
} from '@regulon/shared/transparency';
import { readJsonFile, writeWhole } from '../files/index.js';
import type { CommandResult } from '../output/index.js';
import {
  digestOfRelease,
  fileTerms,
  readSpecification,
  releasedFile,
  releasedRun,
  releaseLines,
  reportsOf,
} from '../release/index.js';
import { ofKind, type SiteLink, withdrawalsIn, withSite } from '../steward/index.js';
import { agree } from './agree.js';
import { type Context, handles } from './context.js';
import { stewardOf, type StewardOptions, signs } from './stewarding.js';

interface SiteReleaseOptions extends StewardOptions {
  readonly out: string;
  readonly weights?: string;
}

/** `regulon site release`: the steward reads what a release says, checks it against the log, and signs it. */
export function siteReleaseCommand(site: Command, context: Context): void {
  const command = signs(
    site
      .command('release')
      .description(
        'sign the release of a model that this site contributed to; the document goes back to the researcher',
      )
      .argument('<document>', 'what the researcher sent'),
  )
    .requiredOption('--out <file>', 'the document with the signature')
    .option('--weights <file>', 'the pulled model: checks that the released file is made of it');
  handles<SiteReleaseOptions>(
    command,
    context,
    ([file = ''], options) =>
      withSite(options.config, (link) =>
        sign(link, readJsonFile(file, releaseDocument, 'E_ARGUMENT'), options, context),
      ),
    'files',
  );
}

async function sign(
  link: SiteLink,
  document: ReleaseDocument,
  options: SiteReleaseOptions,
  context: Context,
): Promise<CommandResult> {
  await verifyDocument(link, document);
  if (options.weights !== undefined) await verifyFile(document, options.weights);
  const digest = digestOfRelease(document);
  const isMade =
    options.weights === undefined
      ? 'the file was not compared with the model: --weights does'
      : 'the file is made of the model';
  const due = { lines: [...releaseLines(document), isMade, `digest  ${digest}`], digest };
  if (options.dryRun) return { data: { digest, signed: false }, lines: due.lines };
  await agree(context, options.digest, due);
  const { name } = link.own;
  const signer = stewardOf(options, name).named(link.name.origin);
  const approval = signRelease(document, document.body, name, signer);
  const others = document.body.approvals.filter(({ site }) => site !== name);
  const approvals = [...others, approval].sort((a, b) => (a.site < b.site ? -1 : 1));
  const signed = { ...document, body: { ...document.body, approvals } };
  writeWhole(options.out, `${JSON.stringify(signed, null, 2)}\n`);
  return {
    data: { digest, signed: true, out: options.out },
    lines: [`signed: ${options.out} goes back to the researcher`],
  };
}

/** The document is true of the run as the log of this site has it. @throws E_RELEASE */
async function verifyDocument(link: SiteLink, document: ReleaseDocument): Promise<void> {
  const { name } = link.own;
  const refuse = (why: string): never => {
    throw new RegulonError('E_RELEASE', why, { hint: 'sign nothing; ask the researcher' });
  };
  if (document.fed !== link.name.id) refuse(`the document is about ${document.fed}`);
  const start = ofKind(link.log, 'run.start').find(({ entry }) => entry.run === document.run);
  const proposed = ofKind(link.log, 'plan.propose').find(({ index }) => index === start?.entry.body.proposal);
  const finish = ofKind(link.log, 'run.finish').find(({ entry }) => entry.run === document.run);
  const models = finish?.entry.body.models;
  const needed = [proposed?.entry.body.plan, isAttachment(models) ? models : undefined];
  const attached = new Map<string, Uint8Array>();
  for (const one of needed) if (one) attached.set(one.digest, await link.attachment(one.digest));
  const { run } = releasedRun(link.log, document.run, (digest) => attached.get(digest));
  if (!run.sites.has(name)) refuse(`${name} contributed nothing to ${document.run}`);
  const withdrawals = withdrawalsIn(link);
  const gone = ofKind(link.log, 'round.contribution').find(
    ({ entry }) => entry.run === document.run && withdrawals.isWithdrawn(entry.actor.id, entry.body.dataset),
  );
  if (gone)
    refuse(
      `dataset ${gone.entry.body.dataset} of ${gone.entry.actor.id}, which is in the model, was withdrawn`,
    );
  const reports = reportsOf(document);
  const [fault] = [
    ...faultsOfTerms(run, document, document.body),
    ...faultsOfTests(run, document, document.body, (digest) => reports.get(digest), link.federation.keys),
  ];
  if (fault !== undefined) refuse(fault);
}

/** @throws E_RELEASE when the released file is not made of these weights */
async function verifyFile({ body }: ReleaseDocument, path: string): Promise<void> {
  const model = await openModel(path);
  const made = fileTerms(
    releasedFile(readSpecification(`${path}.json`), Uint8Array.from(readFileSync(path))),
  );
  if (model.digest === body.model && made.digest === body.file.digest && made.size === body.file.size) return;
  throw new RegulonError('E_RELEASE', `the file that would be released is not made of ${path}`, {
    hint: 'pull the model that the document names; if it is that, sign nothing and ask the researcher',
  });
}
