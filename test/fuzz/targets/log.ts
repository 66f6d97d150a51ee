import { canonicalJsonBytes, equalBytes, utf8 } from '@regulon/shared/crypto';
import {
  attachmentsOf,
  type BodyOf,
  cosign,
  cosignatureTimes,
  explainEntry,
  type FederationKeys,
  formatNote,
  formatVkey,
  keysOfGenesis,
  KeyType,
  openEntry,
  parseEntry,
  parseNote,
  parseQuorumPolicy,
  parseVkey,
  quorumPolicyText,
  signCheckpoint,
  signedPayloadOf,
  verifierKeyOf,
  verifyCheckpoint,
  verifyGenesisOfRoster,
} from '@regulon/shared/transparency';
import { SampleFederation, SampleLog } from '@regulon/shared/transparency-samples';
import { signedRosterSchema } from '@regulon/shared/plan';
import { changeCanonical } from '../grammar/json.js';
import { changeLines } from '../grammar/text.js';
import { mustHold, type Target } from '../harness/target.js';

const textOf = (input: Uint8Array): string => new TextDecoder().decode(input);

/** A small log: genesis, a policy, a dataset, a start of a process. */
function sampleEntries(): { log: SampleLog; keys: FederationKeys; entries: Uint8Array[] } {
  const log = new SampleLog();
  const { federation } = log;
  log.add(federation.policy('site-1').entry);
  const body: BodyOf<'config.start'> = {
    ...{ nonce: 'ab'.repeat(32), version: '0.1.0', software: null, configuration: null },
  };
  log.write(['coordinator', 'coordinator'], 'config.start', {}, body);
  log.write(['site', 'site-2'], 'config.start', {}, body);
  const keys = keysOfGenesis(parseEntry(federation.genesisEntry), (digest) => log.attachments.get(digest));
  return { log, keys, entries: log.entries };
}

function entryTargets(): Target[] {
  const { keys, entries, log } = sampleEntries();
  const known = new Set(entries.map((bytes) => textOf(bytes)));
  const parse: Target = {
    name: 'log-entry',
    codes: ['E_LOG_ENTRY'],
    examples: () => entries,
    run(input) {
      const entry = parseEntry(input);
      mustHold(equalBytes(canonicalJsonBytes(entry), input), 'an accepted entry has other bytes');
      const { sigs: _sigs, ...unsigned } = entry;
      mustHold(equalBytes(signedPayloadOf(input, entry), canonicalJsonBytes(unsigned)), 'other signed bytes');
      attachmentsOf(entry);
      explainEntry(entry, 0);
    },
    change: changeCanonical,
    inputs: 2_000,
    words: ['sha256:', '"v":1}', '"sigs":', '\\u0000', '-0', '1e21'],
  };
  const open: Target = {
    name: 'log-entry-signed',
    codes: ['E_LOG_ENTRY'],
    examples: () => entries,
    run(input) {
      const isGenesis = textOf(input).includes('federation.genesis');
      const resolve = (digest: string): Uint8Array | undefined => log.attachments.get(digest);
      openEntry(input, isGenesis ? undefined : keys, resolve);
      mustHold(known.has(textOf(input)), 'an entry verifies that nobody signed');
    },
    change: changeCanonical,
    inputs: 1_500,
  };
  return [parse, open];
}

/** Entry 0 as a site judges it before it signs, against the roster of its own. */
function genesisTarget(): Target {
  const { genesis } = new SampleFederation();
  const [roster = new Uint8Array(0)] = genesis.attachments;
  const signed = signedRosterSchema.parse(JSON.parse(textOf(roster)));
  return {
    name: 'genesis',
    examples: () => [genesis.payload],
    run(input) {
      verifyGenesisOfRoster(input, signed);
      const { at: _changed, ...rest } = JSON.parse(textOf(input)) as Record<string, unknown>;
      const { at: _real, ...real } = JSON.parse(textOf(genesis.payload)) as Record<string, unknown>;
      mustHold(Object.keys(rest).join() === Object.keys(real).join(), 'a genesis with other members');
    },
    change: changeCanonical,
    inputs: 1_500,
  };
}

function noteTargets(): Target[] {
  const { genesis, logSeed } = new SampleFederation();
  const { origin } = genesis;
  const checkpoint = { origin, size: 7, root: new Uint8Array(32).fill(3) };
  const note = signCheckpoint(checkpoint, { keyName: origin, seed: logSeed });
  const logKey = verifierKeyOf({ keyName: origin, seed: logSeed }, KeyType.log);
  const witness = { keyName: `${origin}/site/a`, seed: SampleFederation.seed('w', 'a') };
  const witnessKey = verifierKeyOf(witness, KeyType.cosigner);
  const parsed = parseNote(note);
  const cosigned = formatNote({
    ...parsed,
    signatures: [...parsed.signatures, cosign(parsed.body, witness, 1_700_000_000)],
  });
  const policy = quorumPolicyText({
    log: logKey,
    witnesses: [{ name: 'a', key: witnessKey }],
    threshold: 1,
  });
  const words = [
    '\u2014 ',
    'log',
    'witness',
    'group',
    'quorum',
    'any',
    'all',
    'none',
    '01',
    '-1',
    '9007199254740993',
    '+',
    '=',
    '\t',
    '\u0000',
  ];
  const change = changeLines(words);
  return [
    {
      name: 'checkpoint',
      codes: ['E_VERIFY'],
      examples: () => [utf8(note), utf8(cosigned)],
      run(input) {
        const text = textOf(input);
        mustHold(formatNote(parseNote(text)) === text, 'a note with other bytes');
        cosignatureTimes(text, witnessKey);
        const { size } = verifyCheckpoint(text, logKey);
        mustHold(size === checkpoint.size, 'a checkpoint verifies that nobody signed');
      },
      ...{ change, words, inputs: 2_000 },
    },
    {
      name: 'quorum-policy',
      codes: ['E_ARGUMENT'],
      examples: () => [utf8(policy), utf8(genesis.quorumPolicy)],
      run(input) {
        const read = parseQuorumPolicy(textOf(input));
        const again = parseQuorumPolicy(quorumPolicyText(read));
        mustHold(again.threshold === read.threshold, 'a policy with another threshold');
        mustHold(read.threshold <= read.witnesses.length, 'a threshold above the number of witnesses');
      },
      ...{ change, words },
    },
    {
      name: 'verifier-key',
      codes: ['E_KEY_FILE'],
      examples: () => [utf8(formatVkey(logKey)), utf8(formatVkey(witnessKey))],
      run(input) {
        const text = textOf(input);
        mustHold(formatVkey(parseVkey(text)) === text, 'a key with two texts');
      },
      ...{ change, words },
    },
  ];
}

/** The log: entries, notes, keys and policies. */
export const logTargets = (): Target[] => [...entryTargets(), genesisTarget(), ...noteTargets()];
