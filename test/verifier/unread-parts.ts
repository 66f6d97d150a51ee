/** Bundles of which a part cannot be read, beside what the rest of the log says; and lists of members that are attached. */
import { canonicalJsonBytes, hashJson, utf8 } from '@regulon/shared/crypto';
import {
  assembleEntry,
  attachmentOf,
  digestText,
  MediaType,
  parseEntry,
  signCheckpoint,
  signPayload,
} from '@regulon/shared/transparency';
import { joined, SampleLog, samplePlan, signSampleRoster } from '@regulon/shared/transparency-samples';
import { type Case, caseOf, cosigned, other, rewritten, withFiles } from './cases.js';

const withoutCheckpoint = (files: Map<string, Uint8Array>): void => void files.delete('checkpoint');
const withNote =
  (change: (note: string, log: SampleLog) => string) =>
  (files: Map<string, Uint8Array>, log: SampleLog): void => {
    const note = Buffer.from(files.get('checkpoint') ?? []).toString();
    files.set('checkpoint', utf8(change(note, log)));
  };
/** A run of other code at one site. */
const wrongCode = {
  spoil: (kind: string, body: Record<string, unknown>, seen: number) =>
    kind === 'round.contribution' && seen === 4 ? { ...body, code: other } : body,
};

/** A line of a signer that nobody knows, of bytes that nobody reads. */
const unknownLine = (name: string): string => `\u2014 ${name} ${Buffer.alloc(12, 7).toString('base64')}\n`;

/** A plan with a space in it. */
const OTHER_FORM = Buffer.concat([samplePlan(), utf8(' ')]);

const MANY = 65;
/** A log without a run, of a federation whose list of members is attached. */
const manyMembers =
  (change: (log: SampleLog) => void = () => undefined, options = {}) =>
  (): Case => {
    const log = new SampleLog({ sites: MANY, ...options });
    const { body, attachment } = log.federation.policyBody(`site-${MANY}`);
    log.attach(attachment, MediaType.json);
    log.write(['steward', `site-${MANY}`], 'policy.set', {}, body);
    change(log);
    return caseOf(log);
  };
const digestOfMembers = ({ federation }: SampleLog): string => {
  const { members } = parseEntry(federation.genesisEntry).body as { members: { digest: string } };
  return members.digest;
};

/** Entry 0 with another list of members, signed by everybody. */
const withMembers =
  (list: (bytes: Uint8Array) => Uint8Array) =>
  (log: SampleLog): void => {
    const { federation } = log;
    const { sigs, ...genesis } = parseEntry(federation.genesisEntry);
    const bytes = list(log.attachments.get(digestOfMembers(log)) ?? new Uint8Array());
    log.attachments.delete(digestOfMembers(log));
    log.attach(bytes, MediaType.json);
    const body = { ...genesis.body, members: attachmentOf(bytes, MediaType.json) };
    const payload = canonicalJsonBytes({ ...genesis, body });
    const sites = federation.roster.members.map(({ name }) => federation.signer('site', name));
    const all = [federation.signer('coordinator', 'coordinator'), ...sites];
    if (all.length !== sigs.length) throw new Error('other signers than those of entry 0');
    log.entries[0] = assembleEntry(
      payload,
      all.map((signer) => signPayload(payload, signer)),
    );
  };

export const unreadRight: Readonly<Record<string, () => Case>> = {
  'a federation of 65 members': manyMembers(),
  'a federation of 65 members under cosigned checkpoints': manyMembers(undefined, cosigned),
  'a federation of 65 members that another one joins': manyMembers((log) =>
    log.change(signSampleRoster(joined(log.federation.roster, MANY + 1), [1, 2, 3])),
  ),
  'a checkpoint with the line of a signer whom nobody knows': withFiles(
    withNote((note) => note + unknownLine('nobody')),
  ),
};

export const unreadWrong: Readonly<Record<string, () => Case>> = {
  'a log without its checkpoint': withFiles(withoutCheckpoint),
  'a log without its checkpoint, whose sites cosign': withFiles(withoutCheckpoint, cosigned),
  'a checkpoint that is no note, over a run of other code': withFiles(
    withNote(() => 'no note'),
    wrongCode,
  ),
  'a checkpoint that is no note, over a run of other code, whose sites cosign': withFiles(
    withNote(() => 'no note'),
    { ...wrongCode, ...cosigned },
  ),
  'a checkpoint that claims one entry more than the log signed': withFiles(
    withNote((note) => note.replace('\n68\n', '\n69\n')),
  ),
  'a checkpoint that claims one entry less than the log signed': withFiles(
    withNote((note) => note.replace('\n68\n', '\n67\n')),
  ),
  'a checkpoint of no size': withFiles(withNote((note) => note.replace('\n68\n', '\n068\n'))),
  'a checkpoint of more entries than the files can hold': withFiles(
    withNote((_, log) => {
      const { origin } = log.federation.genesis;
      const signer = { keyName: origin, seed: log.federation.logSeed };
      return signCheckpoint({ origin, size: 2 ** 50, root: log.rootAt(68) }, signer);
    }),
  ),
  'a checkpoint of no entries': withFiles(
    withNote((_, log) => {
      const { origin } = log.federation.genesis;
      const signer = { keyName: origin, seed: log.federation.logSeed };
      return signCheckpoint({ origin, size: 0, root: log.rootAt(0) }, signer);
    }),
  ),
  'a checkpoint behind a byte order mark': withFiles(withNote((note) => `\ufeff${note}`)),
  'a checkpoint with a signer whose name holds a plus': withFiles(
    withNote((note) => note + unknownLine('no+body')),
  ),
  'a checkpoint with a control character in it': withFiles(
    withNote((note) => note + unknownLine('no\u0007body')),
  ),
  'an attachment that only an entry of another form names': rewritten((log) => {
    const at = log.entries.findIndex((bytes) => parseEntry(bytes).actor.id === 'site-3');
    const entry = parseEntry(log.entries[at] ?? new Uint8Array(0));
    log.entries[at] = canonicalJsonBytes({ ...entry, body: { ...entry.body, more: 1 } });
  }),
  'an attached list that is not canonical': rewritten(
    (log) => void log.attach(utf8('[1, 2, 3, 4, 5]'), MediaType.json),
    {
      spoil: (kind, body, seen) =>
        kind === 'round.aggregate' && seen === 1
          ? { ...body, u3: attachmentOf(utf8('[1, 2, 3, 4, 5]'), MediaType.json) }
          : body,
    },
  ),
  'a plan that is not canonical': rewritten((log) => void log.attach(OTHER_FORM, MediaType.json), {
    spoil: (kind, body) => ({
      ...body,
      ...('planHash' in body ? { planHash: digestText(hashJson('plan', OTHER_FORM)) } : {}),
      ...(kind === 'plan.propose' ? { plan: attachmentOf(OTHER_FORM, MediaType.json) } : {}),
    }),
  }),
  'a federation of 65 members without the list of them': () => {
    const log = new SampleLog({ sites: MANY });
    log.attachments.delete(digestOfMembers(log));
    return caseOf(log);
  },
  'a list of members that lacks one': manyMembers(
    withMembers((bytes) =>
      canonicalJsonBytes((JSON.parse(Buffer.from(bytes).toString()) as unknown[]).slice(1)),
    ),
  ),
  'a list of members that is not canonical': manyMembers(
    withMembers((bytes) => Buffer.concat([bytes, utf8('\n')])),
  ),
  'a list of members of another form': manyMembers(withMembers(() => utf8('[{}]'))),
};
