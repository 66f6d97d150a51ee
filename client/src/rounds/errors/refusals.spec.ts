import { beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { RegulonError } from '@regulon/shared/errors';
import { decodeErrorInfo, encodeErrorInfo, type Request } from '@regulon/shared/wire';
import type { CoordinatorLink } from '../../transport/index.js';
import { SitsOut } from './failures.js';
import { Refusals, type StageNotice } from './refusals.js';

const notice: StageNotice = {
  ...{ type: 'stage', run: new Uint8Array(16), round: 4, attempt: 1, stage: 'r4' },
};
let sent: Request[];
let lines: Record<string, unknown>[];
let reachable: boolean;
let refusals: Refusals;

beforeEach(() => {
  [sent, lines, reachable] = [[], [], true];
  const exchange = async (request: Request): Promise<unknown> => {
    if (!reachable) throw new RegulonError('E_CONNECTION', 'away');
    return sent.push(request);
  };
  const link = { exchange } as unknown as CoordinatorLink;
  const logger = pino(
    {},
    { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  refusals = new Refusals({ link, logger }, 'run_1');
});

describe('a site that refuses', () => {
  it.each(['E_STATE', 'E_REPLAY'] as const)('by its own rule (%s) tells the coordinator', async (code) => {
    expect(await refusals.judge(new RegulonError(code, 'answered already'), notice)).toBe('refuse-attempt');
    expect(sent).toEqual([{ type: 'refuse', run: notice.run, round: 4, attempt: 1, stage: 'r4', code }]);
  });

  it('says nothing when the coordinator itself said that the message is too late', async () => {
    const late = decodeErrorInfo(encodeErrorInfo(new RegulonError('E_STATE', 'round 4 is at unmask')));
    expect(await refusals.judge(late, notice)).toBe('left-out');
    expect(sent).toEqual([]);
  });

  it('tells it again when it was not reachable, and only then', async () => {
    reachable = false;
    await refusals.judge(new RegulonError('E_REPLAY', 'answered already'), notice);
    reachable = true;
    expect(await refusals.stands(notice)).toBe(true);
    expect(await refusals.stands(notice)).toBe(true);
    expect(sent).toHaveLength(1);
    expect(await refusals.stands({ ...notice, attempt: 2 })).toBe(false);
  });

  it.each([
    ['that could not train in time', new RegulonError('E_TRAINER_TIMEOUT', 'training took more than 1 s')],
    ['whose stored upload is damaged', new SitsOut('E_UPLOAD', 'damaged')],
  ])('%s sits the attempt out and says so, but confirms and answers for the others', async (_, error) => {
    const stage = (name: StageNotice['stage']) => ({ ...notice, stage: name });
    expect(await refusals.judge(error, stage('r2'))).toBe('sit-out');
    expect(sent).toMatchObject([{ type: 'refuse', stage: 'r2', code: error.code }]);
    expect(await refusals.stands(stage('r2'))).toBe(true);
    expect(await refusals.stands(stage('r3'))).toBe(false);
    expect(await refusals.stands(stage('r4'))).toBe(false);
    expect(sent).toHaveLength(1);
    expect(refusals.code).toBeUndefined();
  });

  it.each(['E_UNITS', 'E_LABEL', 'E_LABEL_MISSING', 'E_DATA_SCALE', 'E_TRAINER_OOM'] as const)(
    'for a reason that depends on its data (%s) does not name it; its own log does',
    async (code) => {
      await refusals.judge(new RegulonError(code, 'of the data'), notice);
      expect(sent).toMatchObject([{ type: 'refuse', code: 'E_POLICY' }]);
      expect(lines).toMatchObject([{ code }]);
    },
  );

  it('because of a defect logs where it arose, and tells its code', async () => {
    await refusals.judge(new TypeError('patient 12'), notice);
    expect(sent).toMatchObject([{ code: 'E_INTERNAL' }]);
    expect(lines).toMatchObject([{ level: 50, code: 'E_INTERNAL', run: 'run_1', stage: 'r4' }]);
    expect(lines[0]?.['trace']).toContain('TypeError');
    expect(JSON.stringify(lines)).not.toContain('patient 12');
  });
});
