import { crc32 } from 'node:zlib';
import { RegulonError } from '../../errors/index.js';

/** Fixed date of all members: 1 January 1980. */
const DOS_DATE = 0x21;
const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const MAX_FILES = 65_535;
const MAX_BYTES = 0xffff_ffff;

/**
 * A zip of stored files: sorted names, fixed times, no extra fields. The same files give the same bytes.
 *
 * @param files path → content; paths in ASCII
 * @throws E_BUNDLE beyond 65,535 files or 4 GiB
 */
export function writeZip(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const members = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, bytes]) => member(path, bytes));
  const total = members.reduce((sum, m) => sum + 76 + 2 * m.name.length + m.bytes.length, 22);
  if (members.length > MAX_FILES || total > MAX_BYTES) {
    throw new RegulonError('E_BUNDLE', `a bundle of ${members.length} files and ${total} bytes is too large`);
  }
  const writer = new ZipWriter(new Uint8Array(total));
  const written = members.map((m) => [m, writer.local(m)] as const);
  const directory = writer.offset;
  for (const [m, offset] of written) writer.central(m, offset);
  writer.end(members.length, directory);
  return writer.out;
}

interface Member {
  readonly name: Uint8Array;
  readonly bytes: Uint8Array;
  readonly crc: number;
}

function member(path: string, bytes: Uint8Array): Member {
  return { name: new TextEncoder().encode(path), bytes, crc: crc32(bytes) };
}

class ZipWriter {
  offset = 0;
  private readonly view: DataView;

  constructor(readonly out: Uint8Array) {
    this.view = new DataView(out.buffer);
  }

  /** @returns where the header begins */
  local(m: Member): number {
    const at = this.offset;
    this.u32(LOCAL);
    this.common(m);
    this.bytes(m.name);
    this.bytes(m.bytes);
    return at;
  }

  central(m: Member, offset: number): void {
    this.u32(CENTRAL);
    this.u16(20);
    this.common(m);
    // comment length, disk, internal attributes; external attributes
    for (let i = 0; i < 3; i++) this.u16(0);
    this.u32(0);
    this.u32(offset);
    this.bytes(m.name);
  }

  end(count: number, directory: number): void {
    const size = this.offset - directory;
    this.u32(END);
    this.u32(0);
    this.u16(count);
    this.u16(count);
    this.u32(size);
    this.u32(directory);
    this.u16(0);
  }

  private common({ name, bytes, crc }: Member): void {
    this.u16(20);
    // flags, method 0 = stored, time
    for (let i = 0; i < 3; i++) this.u16(0);
    this.u16(DOS_DATE);
    this.u32(crc);
    this.u32(bytes.length);
    this.u32(bytes.length);
    this.u16(name.length);
    this.u16(0);
  }

  private u16(value: number): void {
    this.view.setUint16(this.offset, value, true);
    this.offset += 2;
  }

  private u32(value: number): void {
    this.view.setUint32(this.offset, value, true);
    this.offset += 4;
  }

  private bytes(bytes: Uint8Array): void {
    this.out.set(bytes, this.offset);
    this.offset += bytes.length;
  }
}
