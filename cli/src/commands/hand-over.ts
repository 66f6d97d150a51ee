import { basename } from 'node:path';
import { quoted } from '../completion/index.js';
import { isLoopback } from './connection.js';

/** The folder of a site as the guide for hospitals has it. */
const SITE_FOLDER = '/srv/regulon';

/** A word of a command line that is shown to be typed, in quotation marks where a shell needs them. */
export const word = (text: string): string => (/^[\w./:@%+-]+$/.test(text) ? text : quoted(text));

/** What a site types to sign a file that is sent to it. */
export const signLines = (file: string): string[] => [
  `on their machines, with --folder naming the folder of the site:`,
  `  regulon site sign ${word(basename(file))} --folder ${SITE_FOLDER}`,
];

/** What a site types to install a file that is sent to it. @param first whether it has installed none before */
export const installLines = (file: string, first: boolean): string[] => [
  `on their machines, with --folder naming the folder of the site${first ? ', and its dataset and policy' : ''}:`,
  `  regulon site install ${word(basename(file))} --folder ${SITE_FOLDER}${first ? ' --dataset dataset.yaml --policy policy.yaml' : ''}`,
];

/** What a hospital types to join. */
export const joinLines = (file: string, site: string): string[] => [
  'on its machine, with a new folder on an encrypted volume:',
  `  regulon site join ${SITE_FOLDER} --invitation ${word(basename(file))} --out ${site}.request.json`,
];

/**
 * What a person with an account types.
 *
 * @param command without the coordinator's address
 * @param server as the operator reaches it
 */
export function accountLines(command: string, server: string): string[] {
  const line = `  regulon ${command} --server ${word(server)}`;
  if (!isLoopback(server)) return [line];
  const port = new URL(server).port || '80';
  return [
    line,
    `${server} is this machine; on another one a tunnel to it comes first, and stays open:`,
    `  ssh -N -L ${port}:127.0.0.1:${port} HOST_OF_THE_COORDINATOR`,
  ];
}
