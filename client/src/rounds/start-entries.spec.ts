import { describe, expect, it } from '@jest/globals';
import { keysOfGenesis, parseEntry } from '@regulon/shared/transparency';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import { Outbox } from '../state/index.js';
import { opened } from '../state/state.support.js';
import { entrySealer } from './attempt/entries.js';
import { appendStart, configurationDigest } from './start-entries.js';

const federation = new SampleFederation();
const keys = keysOfGenesis(parseEntry(federation.genesisEntry));
const seal = entrySealer(keys, keys.fed, 'site-1', federation.seedOf('site', 'site-1'));
const salt = new Uint8Array(32).fill(7);
const [one, other] = [{ port: 1 }, { port: 2 }].map((config) => configurationDigest(config, salt)) as [
  string,
  string,
];
const start = (configuration: string): object => ({ version: '0.1.0', configuration });

/** What an outbox says of configurations, in its order. */
const saidIn = (outbox: Outbox): unknown[] =>
  outbox.unsent().map(({ bytes }) => {
    const { kind, body } = parseEntry(bytes);
    if (kind === 'config.start') return body.configuration;
    return kind === 'config.change' ? [body.before, body.after] : kind;
  });

describe('the entries of a start', () => {
  it('state the configuration, and before that a change of it', () => {
    const state = opened();
    const outbox = new Outbox(state, seal);
    for (const configuration of [one, one, other, other, one])
      appendStart(state, outbox, start(configuration) as Parameters<typeof appendStart>[2]);
    expect(saidIn(outbox)).toEqual([one, one, [one, other], other, other, [other, one], one]);
  });

  it('are written both or not at all', () => {
    const state = opened();
    let sealed = 0;
    const failing = new Outbox(state, (draft) => {
      // the second entry of the second start
      if (++sealed === 3) throw new Error('crash');
      return seal(draft);
    });
    appendStart(state, failing, { version: '0.1.0', configuration: one });
    expect(() => appendStart(state, failing, { version: '0.1.0', configuration: other })).toThrow('crash');
    expect(saidIn(failing)).toEqual([one]);
  });

  it('tell nothing of the configuration to who lacks the salt', () => {
    expect(configurationDigest({ port: 1 }, salt)).toBe(one);
    expect(configurationDigest({ port: 1 }, new Uint8Array(32))).not.toBe(one);
    expect(one).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});
