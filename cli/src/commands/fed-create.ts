import { resolve } from 'node:path';
import type { Command } from 'commander';
import { CERTIFICATE_DAYS } from '@regulon/coordinator/authority';
import { RegulonError } from '@regulon/shared/errors';
import { parseStrict } from '@regulon/shared/plan';
import { wholeNumber } from '../arguments/index.js';
import { createFederation, FounderFolder, type Terms, termsSchema } from '../enrolment/index.js';
import { type Context, handles } from './context.js';
import { word } from './hand-over.js';

interface CreateOptions {
  readonly id: string;
  readonly host: string;
  readonly controlPort: string;
  readonly bulkPort: string;
  readonly httpPort: string;
  readonly minSites: string;
  readonly gamma: string;
  readonly signatures?: string;
  readonly certificateDays: string;
  readonly person: readonly string[];
  readonly retention: readonly string[];
}

/** `regulon fed create`: folder, keys and rules of a federation that has no sites yet. */
export function createCommand(fed: Command, context: Context): void {
  const command = fed
    .command('create')
    .description('begin a federation: keys of its coordinator, its own certificate authority, its rules')
    .argument('<folder>', 'of the founder, empty or absent')
    .requiredOption('--id <id>', 'of the federation: fed_ and letters or digits')
    .requiredOption('--host <name>', 'under which sites reach the coordinator')
    .option('--control-port <port>', 'of the coordinator', '7001')
    .option('--bulk-port <port>', 'of the coordinator', '7002')
    .option('--http-port <port>', 'of the coordinator, on its own machine only', '7003')
    .option('--min-sites <n>', 'least sites in a sum', '5')
    .option('--gamma <share>', 'share of sites that may collude with the coordinator', '1/3')
    .option('--signatures <k>', 'administrators who must sign a roster; default: more than half')
    .option('--certificate-days <days>', 'how long certificates of sites hold', String(CERTIFICATE_DAYS))
    .option(
      '--retention <class=days>',
      'how long entries of the log are kept at least, e.g. hipaa6y=2192; repeatable; without it for ever',
      add,
      [],
    )
    .option(
      '--person <role:id=key>',
      'who acts under an own key, e.g. researcher:r-1=HEX; repeatable',
      add,
      [],
    );
  handles<CreateOptions>(
    command,
    context,
    async ([folder = ''], options) => {
      const terms = parseStrict(termsSchema, termsOf(options), 'the federation', 'E_ARGUMENT');
      await createFederation(new FounderFolder(resolve(folder)), terms);
      const lines = [
        `${terms.federationId} begins in ${resolve(folder)}`,
        'next, once for each site:',
        `  regulon fed invite ${word(folder)} --site NAME --org "THE HOSPITAL" --out NAME.invitation.json`,
      ];
      return { data: terms, lines };
    },
    'files',
  );
}

const add = (value: string, others: readonly string[]): string[] => [...others, value];

function termsOf(options: CreateOptions): unknown {
  const { id, host, controlPort, bulkPort, httpPort, minSites, gamma, signatures, certificateDays } = options;
  const port = (option: string, text: string): number => wholeNumber(option, text, 1, 65_535);
  return {
    schema: 'regulon.federation-terms/1',
    federationId: id,
    coordinator: {
      host,
      controlPort: port('--control-port', controlPort),
      bulkPort: port('--bulk-port', bulkPort),
      httpPort: port('--http-port', httpPort),
    },
    policy: {
      nMin: wholeNumber('--min-sites', minSites, 3, 255),
      gamma: shareOf(gamma),
      ...(options.retention.length > 0 && { retention: options.retention.map(classOf) }),
    },
    k: signatures === undefined ? null : wholeNumber('--signatures', signatures, 1, 255),
    certificateDays: wholeNumber('--certificate-days', certificateDays, 1, 398),
    people: options.person.map(personOf),
  };
}

function shareOf(text: string): Terms['policy']['gamma'] {
  const [, num = '', den = ''] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (num !== '') return { num: Number(num), den: Number(den) };
  throw new RegulonError('E_ARGUMENT', '--gamma: needs a share of two whole numbers', {
    hint: 'e.g. 1/3, or 0/1 when nobody may collude',
  });
}

function classOf(text: string): { class: string; days: number } {
  const [name = '', days = ''] = text.split('=', 2);
  return { class: name, days: wholeNumber('--retention', days, 0, 100_000) };
}

function personOf(text: string): Terms['people'][number] {
  const [, role = '', id = '', key = ''] =
    /^(researcher|auditor|operator):([^=]+)=([0-9a-f]{64})$/.exec(text) ?? [];
  if (role === 'researcher' || role === 'auditor' || role === 'operator') return { role, id, key };
  throw new RegulonError('E_ARGUMENT', '--person: role:id=key with role researcher, auditor or operator', {
    hint: '`regulon fed key FILE` makes a key and prints its public half',
  });
}
