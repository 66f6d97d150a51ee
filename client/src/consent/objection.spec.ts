import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { publicKeyOf } from '@regulon/shared/crypto';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import { liftObjection, Objections, placeObjection, signObjection, type Subject } from './index.js';

const by = { federationId: 'fed_test', site: 'a' };
const [seed, former, stranger] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const plan = { planHash: `sha256:${'11'.repeat(32)}` };
const other = `sha256:${'22'.repeat(32)}`;
const now = new Date('2026-11-22T00:00:00.000Z');

let folder: string;
beforeEach(() => {
  folder = temporaryFolder('objections');
});

const objections = (): Objections => new Objections(folder, by, [publicKeyOf(former), publicKeyOf(seed)]);
const verify = (planHash: string, dataset: string) => (): void => objections().verifyNone(planHash, dataset);
const place = (subject: Subject, key = seed, who = by): Promise<void> =>
  placeObjection(folder, signObjection(who, subject, key, now));
const refused = expect.objectContaining({ code: 'E_POLICY' });
const fileIn = (): string => join(folder, 'objections', readdirSync(join(folder, 'objections'))[0]!);

describe('what a steward takes back at the own site', () => {
  it('stops the plan, whatever its data; other plans go on', async () => {
    expect(verify(plan.planHash, 'd')).not.toThrow();
    await place(plan);
    expect(verify(plan.planHash, 'd')).toThrow(refused);
    expect(verify(other, 'd')).not.toThrow();
    expect(statSync(fileIn()).mode & 0o777).toBe(0o600);
  });

  it('stops every plan over the dataset; other datasets go on', async () => {
    await place({ dataset: 'd', scope: 'commitment' });
    expect(verify(other, 'd')).toThrow(refused);
    expect(verify(other, 'e')).not.toThrow();
  });

  it('holds under a key that the steward had before', async () => {
    await place(plan, former);
    expect(verify(plan.planHash, 'd')).toThrow(refused);
  });

  it('ends when the steward agrees again', async () => {
    await place(plan);
    await place({ dataset: 'd', scope: 'commitment' });
    liftObjection(folder, plan);
    liftObjection(folder, { dataset: 'd' });
    liftObjection(folder, { dataset: 'never' });
    expect(verify(plan.planHash, 'd')).not.toThrow();
  });

  it('replaces a file that cannot be read, when it is said again', async () => {
    await place(plan);
    writeFileSync(fileIn(), '{');
    await place(plan);
    expect(verify(plan.planHash, 'd')).toThrow('has taken the plan back');
    expect(verify(other, 'd')).not.toThrow();
  });

  it('stays so when it was for good, whatever is said after it', async () => {
    await place({ dataset: 'd', scope: 'all' });
    await place({ dataset: 'd', scope: 'commitment' });
    liftObjection(folder, { dataset: 'd' });
    expect(verify(other, 'd')).toThrow(refused);
  });

  it.each([
    ['signed by somebody else', () => place(plan, stranger)],
    ['of another site', () => place(plan, seed, { ...by, site: 'b' })],
    ['of another federation', () => place(plan, seed, { ...by, federationId: 'fed_other' })],
    [
      'changed after it was signed',
      async () => {
        await place(plan);
        writeFileSync(fileIn(), readFileSync(fileIn(), 'utf8').replace('11', '12'));
      },
    ],
    [
      'that is no JSON',
      async () => {
        await place(plan);
        writeFileSync(fileIn(), '{');
      },
    ],
  ])('%s stops everything: it may be a no', async (_, write) => {
    await write();
    expect(verify(other, 'e')).toThrow(refused);
  });
});
