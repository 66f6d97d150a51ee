import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { type ArgumentsHost, NotFoundException, PayloadTooLargeException } from '@nestjs/common';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type ErrorCode, RegulonError } from '@regulon/shared/errors';
import { ErrorFilter } from './error.filter.js';

describe('errors of the REST API', () => {
  let response: ServerResponse;
  let sent: string;
  let reported: unknown[];

  beforeEach(() => {
    response = new ServerResponse(new IncomingMessage(new Socket()));
    [sent, reported] = ['', []];
    response.end = (text: unknown) => {
      sent = String(text);
      return response;
    };
  });

  function answerTo(error: unknown): { status: number; code: string; text: string } {
    const host = { switchToHttp: () => ({ getResponse: () => response }) } as unknown as ArgumentsHost;
    new ErrorFilter((defect) => reported.push(defect)).catch(error, host);
    const { error: body } = JSON.parse(sent) as { error: { code: string } };
    return { status: response.statusCode, code: body.code, text: sent };
  }

  it.each<[ErrorCode, number]>([
    ['E_PLAN', 400],
    ['E_AUTH', 401],
    ['E_LOG_EQUIVOCATION', 403],
    ['E_NOT_FOUND', 404],
    ['E_STATE', 409],
    ['E_BUSY', 429],
    ['E_INTERNAL', 500],
    ['E_DISK_FULL', 507],
  ])('%s is %d', (code, status) => {
    expect(answerTo(new RegulonError(code, 'what and where'))).toMatchObject({ status, code });
    expect(reported).toHaveLength(code === 'E_INTERNAL' ? 1 : 0);
  });

  it.each([
    ['a file that the disk refused', Object.assign(new Error('x'), { code: 'ENOSPC' })],
    ['a row that the disk refused', Object.assign(new Error('x'), { code: 'SQLITE_FULL' })],
  ])('%s is a full disk, not a defect', (_name, error) => {
    expect(answerTo(error)).toMatchObject({ status: 507, code: 'E_DISK_FULL' });
    expect(reported).toEqual([]);
  });

  it('says nothing of a defect, and reports it', () => {
    const { status, code, text } = answerTo(new TypeError('cannot read 4711 of patient 12'));
    expect([status, code]).toEqual([500, 'E_INTERNAL']);
    expect(text).not.toMatch(/4711|patient/);
    expect(reported).toHaveLength(1);
  });

  it.each([
    ['a path that is not there', new NotFoundException(), 404, 'E_NOT_FOUND'],
    ['a body that is too long', new PayloadTooLargeException(), 413, 'E_MESSAGE'],
    ['a body that is no JSON', Object.assign(new SyntaxError('x'), { status: 400 }), 400, 'E_MESSAGE'],
  ])('names %s', (_name, error, status, code) => {
    expect(answerTo(error)).toMatchObject({ status, code });
    expect(reported).toEqual([]);
  });

  it('cuts an answer off that was begun: it must not look whole', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const host = { switchToHttp: () => ({ getResponse: () => response }) } as unknown as ArgumentsHost;
    new ErrorFilter(() => undefined).catch(new RegulonError('E_STATE', 'late'), host);
    expect(response.destroyed).toBe(true);
    expect(sent).toBe('');
  });

  it('break off an answer that was begun, and are reported unless its reader went away', () => {
    const host = { switchToHttp: () => ({ getResponse: () => response }) } as unknown as ArgumentsHost;
    const filter = new ErrorFilter((defect) => reported.push(defect));
    response.writeHead(200);
    response.flushHeaders();
    filter.catch(Object.assign(new Error('gone'), { code: 'ERR_STREAM_PREMATURE_CLOSE' }), host);
    expect([response.destroyed, sent, reported]).toEqual([true, '', []]);
    filter.catch(new RegulonError('E_PRUNED', 'it was pruned meanwhile', { retryable: true }), host);
    const changed = new RegulonError('E_DIGEST', 'the file of an attachment was changed');
    filter.catch(changed, host);
    expect(reported).toEqual([changed]);
  });
});
