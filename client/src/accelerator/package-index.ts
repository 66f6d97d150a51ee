import path from 'node:path';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import type { PinnedFile } from './pinned-file.js';

const MAX_PAGE_BYTES = 16 << 20;
const TIMEOUT_MS = 120_000;

/**
 * Where a package index keeps a file.
 *
 * @param index address of a simple index
 * @throws E_ARGUMENT when it is no address; E_CONNECTION when it does not answer; E_NOT_FOUND without such a file
 * @see PEP 503
 */
export async function indexAddressOf(index: string, { project, file }: PinnedFile): Promise<URL> {
  const page = await read(pageAddress(index, project));
  const links = [...page.text.matchAll(/<a\s[^>]*?href\s*=\s*["']([^"']+)["']/gi)];
  const link = links.flatMap(([, href = '']) => addressOf(href, page.address, file)).at(0);
  if (!link) {
    throw new RegulonError('E_NOT_FOUND', `${page.address} does not hold ${file}`, {
      hint: 'mirror that file, or bring it here and name it with --from',
    });
  }
  link.hash = '';
  return link;
}

/** The address that a link of a page names, if it is that of the file; a page may hold links that are none. */
function addressOf(href: string, page: string, file: string): URL[] {
  try {
    const address = new URL(href.replaceAll('&amp;', '&'), page);
    return decodeURIComponent(path.posix.basename(address.pathname)) === file ? [address] : [];
  } catch {
    return [];
  }
}

function pageAddress(index: string, project: string): URL {
  try {
    const address = new URL(`${index.replace(/\/+$/, '')}/${project}/`);
    if (/^https?:$/.test(address.protocol)) return address;
  } catch {
    // not an address at all: as one with another scheme
  }
  throw new RegulonError('E_ARGUMENT', `--index: ${index} is no address of a package index`, {
    hint: 'as in https://mirror.example/simple; a folder is named with --from',
  });
}

async function read(address: URL): Promise<{ address: string; text: string }> {
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok || !response.body) {
      throw new RegulonError('E_CONNECTION', `${address.href} answers ${response.status}`);
    }
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of response.body as AsyncIterable<Uint8Array>) {
      size += piece.length;
      if (size > MAX_PAGE_BYTES)
        throw new RegulonError('E_DIGEST', `${address.href} is too large for a page`);
      pieces.push(piece);
    }
    return { address: response.url, text: Buffer.concat(pieces).toString('utf8') };
  } catch (cause) {
    if (isRegulonError(cause)) throw cause;
    throw new RegulonError('E_CONNECTION', `${address.href} does not answer`, {
      cause,
      hint: 'behind a proxy let pip fetch it (no --index), or bring the file here and name it with --from',
    });
  }
}
