import type { Command } from 'commander';
import { wholeNumber } from '../arguments/index.js';
import {
  checkProofCommand,
  compareCommand,
  exportCommand,
  explainCommand,
  proofCommand,
  reportCommand,
  verifyCommand,
  watchCommand,
  type VerifyArguments,
} from '../audit/index.js';
import { verifyReplaceable, verifyWritable } from '../files/index.js';
import { bytesText, tableLines } from '../output/index.js';
import { pruneCommands } from './audit-prune.js';
import { recordCommands } from './audit-record.js';
import { apiFor, type ConnectionOptions, connects } from './connection.js';
import { type Context, handles } from './context.js';
import { VERSION } from './version.js';

interface VerifyOptions extends Pick<
  VerifyArguments,
  'bundle' | 'policy' | 'asOf' | 'maxAge' | 'run' | 'maskedVectors' | 'kept'
> {
  readonly siteCheckpoints?: string[];
  readonly level?: string;
  readonly jobs?: string;
}

interface WatchOptions extends ConnectionOptions {
  readonly policy: string;
  readonly state: string;
  readonly every?: string;
  readonly maxAge?: string;
  readonly once: boolean;
}

/** `regulon audit …`: export the log, and verify an export without any network. */
export function auditCommands(program: Command, context: Context): void {
  const audit = program.command('audit').description('the log: export it, verify an export offline');
  exportBundle(audit, context);
  verify(audit, context);
  report(audit, context);
  explain(audit, context);
  proof(audit, context);
  checkProof(audit, context);
  compare(audit, context);
  watch(audit, context);
  recordCommands(audit, context);
  pruneCommands(audit, context);
}

function exportBundle(audit: Command, context: Context): void {
  const command = connects(audit.command('export').description("write the auditor's bundle"))
    .requiredOption('--out <file>', 'the bundle (zip)')
    .option('--force', 'replace an existing file', false);
  handles<ConnectionOptions & { out: string; force: boolean }>(
    command,
    context,
    async (_, options, output) => {
      const { out, force } = options;
      verifyReplaceable(out, force);
      verifyWritable(out);
      const api = apiFor(options, context);
      const tell = (line: string): void => output.progress(line);
      const outcome = await exportCommand({ fetchPieces: () => api.bundlePieces(), out, tell });
      const { path, bytes, files } = outcome;
      return { data: outcome, lines: [`${path}  ${bytesText(bytes)}, ${files} files`] };
    },
    'files',
  );
}

function verify(audit: Command, context: Context): void {
  const command = judges(
    audit
      .command('verify')
      .description('check an exported log; the policy comes from the sites, not from the bundle'),
  );
  handles<VerifyOptions>(command, context, async (_, options) => {
    const { failure, firstLine, report } = await verifyCommand(verifyArguments(options));
    return { data: report, lines: [firstLine, '', ...ruleLines(report)], failure };
  });
}

function report(audit: Command, context: Context): void {
  const command = judges(
    audit
      .command('report')
      .description('check an exported log and write what was found as one HTML page to print and sign'),
  )
    .requiredOption('--out <file>', 'the page')
    .option('--force', 'replace an existing file', false);
  handles<VerifyOptions & { out: string; force: boolean }>(
    command,
    context,
    async (_, { out, force, ...options }) => {
      verifyReplaceable(out, force);
      const tool = `regulon ${VERSION}`;
      const outcome = await reportCommand({ ...verifyArguments(options), out, tool });
      const { failure, firstLine, document, bytes } = outcome;
      return {
        data: { file: out, bytes, ...document },
        lines: [firstLine, `${out}  ${bytesText(bytes)}`],
        failure,
      };
    },
    'files',
  );
}

/** Give a command the options of a verification. */
function judges(command: Command): Command {
  return command
    .requiredOption('--bundle <file>', 'the exported log')
    .requiredOption('--policy <file>', 'quorum.policy, from the federation folder of a site')
    .option('--site-checkpoints <files...>', 'checkpoint notes that sites kept')
    .option('--level <n>', 'evidence level; 2 replays every sum')
    .option('--masked-vectors <dir>', "level 2: the coordinator's spool, or a copy of it")
    .option('--kept <dir>', "level 2: the coordinator's blobs (sums and models), or a copy of them")
    .option('--as-of <time>', 'judge as of this time')
    .option('--max-age <duration>', 'the newest cosignature may be so old, e.g. 12h (default: 7d)')
    .option('--run <id>', 'only this run; any unique beginning of its id')
    .option('--jobs <n>', 'threads (default: one a core, 4 at most); the report is the same');
}

const verifyArguments = ({ level, jobs, ...options }: VerifyOptions): VerifyArguments => ({
  ...options,
  ...(level === undefined ? {} : { level: wholeNumber('--level', level, 1, 2) }),
  ...(jobs === undefined ? {} : { jobs: wholeNumber('--jobs', jobs, 1, 64) }),
});

function explain(audit: Command, context: Context): void {
  const command = audit
    .command('explain')
    .description('one entry of a bundle in words; nothing is verified')
    .argument('<index>', 'number of the entry, from 0')
    .requiredOption('--bundle <file>', 'the exported log');
  handles<{ bundle: string }>(command, context, async ([index = ''], { bundle }) => {
    const text = await explainCommand({ bundle, index: wholeNumber('index', index, 0, 2 ** 40) });
    return { data: { text }, lines: text.split('\n') };
  });
}

function proof(audit: Command, context: Context): void {
  const command = audit
    .command('proof')
    .description('write one entry with the proof that it is in the log')
    .argument('<index>', 'number of the entry, from 0')
    .requiredOption('--bundle <file>', 'the exported log')
    .requiredOption('--out <file>', 'the proof (C2SP tlog-proof)')
    .option('--force', 'replace an existing file', false);
  handles<{ bundle: string; out: string; force: boolean }>(
    command,
    context,
    async ([index = ''], { bundle, out, force }) => {
      verifyReplaceable(out, force);
      const outcome = await proofCommand({ bundle, out, index: wholeNumber('index', index, 0, 2 ** 40) });
      const { path, bytes, size } = outcome;
      return { data: outcome, lines: [`${path}  ${bytesText(bytes)}, entry ${index} of ${size}`] };
    },
    'files',
  );
}

function checkProof(audit: Command, context: Context): void {
  const command = audit
    .command('check-proof')
    .description('check a proof of one entry; the policy comes from the sites')
    .argument('<file>', 'the proof')
    .requiredOption('--policy <file>', 'quorum.policy, from the federation folder of a site');
  handles<{ policy: string }>(command, context, async ([file = ''], options) => {
    const outcome = await checkProofCommand({ proof: file, ...options });
    const { index, size, cosigners, quorum, text } = outcome;
    const by =
      quorum > 0
        ? `${cosigners.length} of ${quorum} needed cosignatures`
        : 'gate mode signed, no site cosigned';
    const first = `PASS  entry ${index} is in the log of ${size} entries; ${by}`;
    return { data: outcome, lines: [first, '', ...text.split('\n')] };
  });
}

function compare(audit: Command, context: Context): void {
  const command = audit
    .command('compare')
    .description('whether one of two exported logs is the beginning of the other, or the log was forked')
    .argument('<first>', 'an exported log')
    .argument('<second>', 'another one, of another site or time')
    .requiredOption('--policy <file>', 'quorum.policy, from the federation folder of a site')
    .option('--out <file>', 'where to write the evidence of a fork')
    .option('--force', 'replace an existing file', false);
  handles<{ policy: string; out?: string; force: boolean }>(
    command,
    context,
    async ([first = '', second = ''], { force, ...options }) => {
      if (options.out !== undefined) verifyReplaceable(options.out, force);
      const { failure, firstLine, ...data } = await compareCommand({ bundles: [first, second], ...options });
      return { data, lines: [firstLine], failure };
    },
    'files',
  );
}

function watch(audit: Command, context: Context): void {
  const command = connects(
    audit
      .command('watch')
      .description('verify the log of a coordinator again and again, and that it extends what was seen last'),
  )
    .requiredOption('--policy <file>', 'quorum.policy, from the federation folder of a site')
    .requiredOption('--state <file>', 'the newest checkpoint that held; made by the first look')
    .option('--every <duration>', 'time between two looks (default: 10m)')
    .option('--max-age <duration>', 'newest cosignature and last answer may be so old (default: 7d)')
    .option('--once', 'look once only', false);
  handles<WatchOptions>(
    command,
    context,
    async (_, options, output) => {
      const { policy, state, every, maxAge, once, ...connection } = options;
      const api = apiFor(connection, context);
      const given = {
        ...(every === undefined ? {} : { every }),
        ...(maxAge === undefined ? {} : { maxAge }),
      };
      const tell = (line: string): void => output.progress(line);
      const fetchBundle = (signal: AbortSignal): Promise<Uint8Array> => api.bundle(signal);
      const outcome = await watchCommand({ fetchBundle, policy, state, once, tell, ...given });
      const { failure, ...data } = outcome;
      return { data, lines: [outcome.firstLine], failure };
    },
    'files',
  );
}

function ruleLines({ rules }: Awaited<ReturnType<typeof verifyCommand>>['report']): string[] {
  return tableLines(
    [
      { title: 'row', value: (rule: (typeof rules)[number]) => rule.id },
      { title: 'status', value: (rule) => rule.status },
      { title: 'rule', value: (rule) => rule.rule },
      { title: 'note', value: (rule) => rule.note },
    ],
    rules,
  );
}
