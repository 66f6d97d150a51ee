import { describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { keepStatements } from '@regulon/shared/sqlite';
import { explainError } from '@regulon/shared/errors';
import { namedError } from './named-error.js';

function defect(): Error {
  return new TypeError('cannot read 4711 of patient 12');
}

describe('a defect', () => {
  it('is named by its kind, without the text that may quote data, and keeps its cause', () => {
    const cause = defect();
    const named = namedError(cause);
    expect(named.code).toBe('E_INTERNAL');
    expect(named.cause).toBe(cause);
    expect(explainError(named)).toMatch(/^E_INTERNAL: a step failed with TypeError\n/);
  });

  it('that was thrown as no error at all is one too', () => {
    expect(namedError('4711')).toMatchObject({ code: 'E_INTERNAL', message: 'a step failed with a value' });
    expect(namedError(undefined).code).toBe('E_INTERNAL');
  });
});

describe('a condition of the machine', () => {
  it.each([
    ['SQLITE_BUSY_SNAPSHOT', 'E_BUSY'],
    ['ENOMEM', 'E_BUSY'],
    ['EPIPE', 'E_CONNECTION'],
    ['ERR_IPC_CHANNEL_CLOSED', 'E_TRAINER_CRASH'],
    ['SQLITE_CORRUPT', 'E_STATE_DB'],
  ])('%s is %s', (code, name) => {
    expect(namedError(Object.assign(new Error('text'), { code })).code).toBe(name);
  });

  it('a closed database is E_STATE_DB', () => {
    const db = keepStatements(new Database(':memory:'));
    db.close();
    const failed = (): unknown => {
      try {
        return db.prepare('SELECT 1');
      } catch (error) {
        return error;
      }
    };
    expect(namedError(failed()).code).toBe('E_STATE_DB');
  });
});
