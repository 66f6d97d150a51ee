import { describe, expect, it } from '@jest/globals';
import { canonicalJsonBytes, utf8 } from '../../crypto/index.js';
import { SampleFederation, signSampleRoster } from '../../transparency-samples/index.js';
import { KeyHistory, verifiedRoster } from './key-history.js';
import { keysOfGenesis } from './open.js';
import { parseEntry } from './parse.js';

const { roster, genesisEntry } = new SampleFederation();
const signed = signSampleRoster(roster, [1, 2, 3]);

describe('a founding roster', () => {
  it('is one that its administrators signed', () => {
    expect(verifiedRoster(canonicalJsonBytes(signed))).toEqual(roster);
  });

  it.each([
    ['nothing', undefined],
    ['no JSON', utf8('{')],
    ['another document', utf8('{}')],
    ['one that too few signed', canonicalJsonBytes(signSampleRoster(roster, [1]))],
  ])('is not %s', (_, bytes) => {
    expect(verifiedRoster(bytes)).toBeUndefined();
  });

  it('that is not known is followed by none', () => {
    const history = new KeyHistory(keysOfGenesis(parseEntry(genesisEntry)), undefined);
    const follows = { rosterHash: '0'.repeat(64), reason: 'routine' } as const;
    expect(() => history.successionOf({ ...signed, roster: { ...roster, follows } })).toThrow(
      expect.objectContaining({ code: 'E_ROSTER' }),
    );
    expect(history.rosterAt(7)).toBeUndefined();
  });
});
