import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Answer with JSON. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}

/** Answer with bytes. */
export function sendBytes(response: ServerResponse, type: string, bytes: Uint8Array): void {
  response.writeHead(200, { 'content-type': type, 'content-length': bytes.length });
  response.end(bytes);
}

/** A download whose reader takes nothing for so long is ended. */
const STALLED_MS = 60_000;

/**
 * Answer with pieces, as fast as the reader takes them; one that goes away ends them.
 *
 * @throws what fails before the first piece, and the answer has not begun; what fails later
 */
export async function sendPieces(
  response: ServerResponse,
  type: string,
  pieces: AsyncGenerator<Uint8Array>,
): Promise<void> {
  const first = await pieces.next();
  response.writeHead(200, { 'content-type': type });
  response.setTimeout(STALLED_MS, () => response.destroy());
  await pipeline(Readable.from(startingWith(first, pieces), { objectMode: false }), response);
}

async function* startingWith<T>(first: IteratorResult<T>, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}
