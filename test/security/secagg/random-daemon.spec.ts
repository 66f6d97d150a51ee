import { describe, expect, it } from '@jest/globals';
import { tally } from '../../support/tally.js';
import { effort, TIMEOUT_MS } from '../support/effort.js';
import { TwoWorlds } from '../support/two-worlds.js';

describe('a daemon that is shown two worlds at random, and dies in between', () => {
  it(
    'sends one R1, one upload, one R3 and one R4, and one kind of share for each site',
    async () => {
      let answered = 0;
      for (let seed = 0; seed < effort(12, 300); seed++) {
        const { shares, uploads, confirmations, answers, kinds, deaths } = await new TwoWorlds(seed).play();
        const most = Math.max(1, shares.size, uploads.size, confirmations.size, answers.size);
        expect({ seed, most }).toEqual({ seed, most: 1 });
        tally('random schedules', 'a daemon in two worlds');
        tally('deaths inside a test', 'daemon with its journal', deaths);
        if (answers.size === 0) continue;
        answered += 1;
        expect([...kinds].map((kind) => kind.split(' ')[0]).sort()).toEqual(['1', '2', '3', '4', '5']);
      }
      expect(answered).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it('control: a daemon whose whole folder is put back signs another R1', async () => {
    let most = 0;
    for (let seed = 0; seed < 60 && most < 2; seed++)
      most = (await new TwoWorlds(seed, true).play()).shares.size;
    expect(most).toBeGreaterThan(1);
  });
});
