import { crc32 } from 'node:zlib';
import { RegulonError } from '../../errors/index.js';
import {
  CENTRAL_CHECKSUM,
  centralHeader,
  endRecord,
  LOCAL_CHECKSUM,
  localHeader,
  zipMember,
} from './zip-headers.js';

/** Bytes with which an archive ends. */
export const END_BYTES = 22;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;

/** Files of an archive, as views, and those whose checksum in the archive does not match. */
export interface ZipContent {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly badChecksums: readonly string[];
}

/** What a reader accepts. */
export interface ZipLimits {
  readonly maxFiles: number;
  readonly isAllowed: (path: string) => boolean;
}

/**
 * Read an archive that `writeZip` made; anything else is refused, so every byte outside the files is fixed by them.
 *
 * @param bytes attacker-controlled; nothing is allocated before sizes and offsets are checked
 * @throws E_BUNDLE naming what is wrong, and the member when it is known
 */
export function readZip(bytes: Uint8Array, { maxFiles, isAllowed }: ZipLimits): ZipContent {
  const { count, directory } = readZipEnd(bytes.subarray(-END_BYTES), bytes.length);
  if (count > maxFiles) throw refused(`${count} files are more than ${maxFiles}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = bytes.length - END_BYTES;
  const files = new Map<string, Uint8Array>();
  const badChecksums: string[] = [];
  let [at, expected, previous] = [directory, 0, ''];
  for (let i = 0; i < count; i++) {
    const member = readMember({ bytes, view, at, end, expected, directory });
    if (!isAllowed(member.path)) throw refused(`member ${i + 1} has a name that no bundle has`);
    if (member.path <= previous) throw refused(`its names are not sorted at ${member.path}`);
    if (crc32(member.content) !== member.crc) badChecksums.push(member.path);
    files.set(member.path, member.content);
    [at, expected, previous] = [member.next, member.dataEnd, member.path];
  }
  if (at !== end || expected !== directory) throw refused('there are bytes that belong to no file');
  checkFraming(bytes, files, badChecksums, directory);
  return { files, badChecksums };
}

/**
 * What an archive says of itself where it ends: that it is whole is seen there, without the rest of it.
 *
 * @param tail its last 22 bytes
 * @param size of all of it, bytes
 * @returns number of its files, and where its directory begins
 * @throws E_BUNDLE if it is no archive, or was cut off
 */
export function readZipEnd(tail: Uint8Array, size: number): { count: number; directory: number } {
  const view = new DataView(tail.buffer, tail.byteOffset, tail.length);
  if (tail.length < END_BYTES || view.getUint32(0, true) !== 0x06054b50)
    throw refused('it is no archive, or it is cut off');
  const directory = view.getUint32(16, true);
  if (directory + view.getUint32(12, true) !== size - END_BYTES)
    throw refused('its directory is not where it says');
  return { count: view.getUint16(10, true), directory };
}

interface Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly at: number;
  readonly end: number;
  /** where the local header of this member must begin */
  readonly expected: number;
  readonly directory: number;
}

interface ZipMember {
  readonly path: string;
  readonly content: Uint8Array;
  readonly crc: number;
  readonly next: number;
  readonly dataEnd: number;
}

function readMember({ bytes, view, at, end, expected, directory }: Cursor): ZipMember {
  if (at + CENTRAL_BYTES > end) throw refused('its directory is cut off');
  const size = view.getUint32(at + 24, true);
  const nameLength = view.getUint16(at + 28, true);
  const next = at + CENTRAL_BYTES + nameLength;
  if (next > end) throw refused('its directory is cut off');
  const path = new TextDecoder('latin1').decode(bytes.subarray(at + CENTRAL_BYTES, next));
  const offset = view.getUint32(at + 42, true);
  const dataStart = offset + LOCAL_BYTES + nameLength;
  const dataEnd = dataStart + size;
  if (offset !== expected || dataEnd > directory)
    throw refused(`a member is not where the directory says (${printable(path)})`);
  return {
    path,
    content: bytes.subarray(dataStart, dataEnd),
    crc: view.getUint32(at + 16, true),
    next,
    dataEnd,
  };
}

/** All headers must be the ones that `writeZip` gives for these files; stored checksums of changed files excepted. */
function checkFraming(
  bytes: Uint8Array,
  files: ReadonlyMap<string, Uint8Array>,
  badChecksums: readonly string[],
  directory: number,
): void {
  const changed = new Set(badChecksums);
  let [at, offset, directoryBytes] = [directory, 0, 0];
  for (const [path, content] of files) {
    const member = zipMember(path, content);
    const [local, central] = [localHeader(member), centralHeader(member, offset)];
    checkHeader(bytes, offset, local, changed.has(path) ? LOCAL_CHECKSUM : undefined);
    checkHeader(bytes, at, central, changed.has(path) ? CENTRAL_CHECKSUM : undefined);
    offset += local.length + content.length;
    at += central.length;
    directoryBytes += central.length;
  }
  checkHeader(bytes, at, endRecord(files.size, offset, directoryBytes));
}

/** @param unlike where four bytes may differ @throws E_BUNDLE */
function checkHeader(bytes: Uint8Array, at: number, wanted: Uint8Array, unlike = wanted.length): void {
  const differs = wanted.findIndex((byte, i) => bytes[at + i] !== byte && !(i >= unlike && i < unlike + 4));
  if (differs >= 0) throw refused(`a header was changed at byte ${at + differs}`);
}

function printable(path: string): string {
  return path.replace(/[^\x20-\x7e]/g, '?').slice(0, 100);
}

function refused(what: string): RegulonError {
  return new RegulonError('E_BUNDLE', `the bundle cannot be read: ${what}`);
}
