import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { sendPieces } from './send.js';

const PIECE = new Uint8Array(64 * 1024).fill(7);
/** More than the sockets of both ends hold. */
const MANY = 2000;

describe('a download in pieces', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  /** Serve some pieces once. @returns the answer, which nobody reads yet, and how the download ended */
  async function download(pieces: AsyncGenerator<Uint8Array>) {
    let ended: Promise<unknown> = Promise.resolve();
    let answer: ServerResponse | undefined;
    const listening = createServer((_, response) => {
      answer = response;
      ended = sendPieces(response, 'application/zip', pieces).then(
        () => 'whole',
        (error: unknown) => {
          response.destroy();
          return error;
        },
      );
    });
    server = listening.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = listening.address() as AddressInfo;
    const asked = get({ port, host: '127.0.0.1' });
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return { response, answer, ended: () => ended };
  }

  it('arrives whole', async () => {
    const { response, ended } = await download(
      (async function* () {
        for (let k = 0; k < 50; k++) yield await Promise.resolve(PIECE);
      })(),
    );
    expect(await buffer(response)).toHaveLength(50 * PIECE.length);
    expect(await ended()).toBe('whole');
  });

  it('waits for who does not read, and ends with who goes away', async () => {
    let given = 0;
    let left = false;
    const { response, answer, ended } = await download(
      (async function* () {
        try {
          for (; given < MANY; given++) yield await Promise.resolve(PIECE);
        } finally {
          left = true;
        }
      })(),
    );
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    for (let still = 0, last = -1; still < 500; last = given) {
      await turn();
      still = given === last && answer?.writableNeedDrain === true ? still + 1 : 0;
      if (given === MANY) break;
    }
    expect(given).toBeLessThan(MANY / 2);
    expect(left).toBe(false);
    response.destroy();
    expect(await ended()).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
    expect(left).toBe(true);
    expect(given).toBeLessThan(MANY / 2);
  });

  it('breaks off where it fails, so that it does not look whole', async () => {
    const { response, ended } = await download(
      (async function* () {
        yield await Promise.resolve(PIECE);
        throw new TypeError('changed');
      })(),
    );
    await expect(buffer(response)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await ended()).toMatchObject({ message: 'changed' });
  });
});
