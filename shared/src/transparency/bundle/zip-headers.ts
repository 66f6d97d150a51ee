import { crc32 } from 'node:zlib';

/** Fixed date of all members: 1 January 1980. */
const DOS_DATE = 0x21;
const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;

/** Where a local header has its checksum. */
export const LOCAL_CHECKSUM = 14;
/** Where a header of the directory has its checksum. */
export const CENTRAL_CHECKSUM = 16;

/** A stored file as its headers describe it. */
export interface ZipMember {
  readonly name: Uint8Array;
  /** bytes of its content */
  readonly size: number;
  readonly crc: number;
}

/** @param path in ASCII */
export function zipMember(path: string, content: Uint8Array): ZipMember {
  return { name: new TextEncoder().encode(path), size: content.length, crc: crc32(content) };
}

/** What stands before the content of a member. */
export function localHeader(member: ZipMember): Uint8Array {
  return new HeaderWriter(30 + member.name.length).u32(LOCAL).common(member).name(member).bytes;
}

/** What the directory says of a member. @param offset of its local header */
export function centralHeader(member: ZipMember, offset: number): Uint8Array {
  const writer = new HeaderWriter(46 + member.name.length).u32(CENTRAL).u16(20).common(member);
  // comment length, disk, internal attributes; external attributes
  for (let i = 0; i < 3; i++) writer.u16(0);
  return writer.u32(0).u32(offset).name(member).bytes;
}

/** What stands after the directory. @param directory its offset @param size its bytes */
export function endRecord(count: number, directory: number, size: number): Uint8Array {
  return new HeaderWriter(22).u32(END).u32(0).u16(count).u16(count).u32(size).u32(directory).u16(0).bytes;
}

class HeaderWriter {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  private offset = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
  }

  common({ name, size, crc }: ZipMember): this {
    this.u16(20);
    // flags, method 0 = stored, time
    for (let i = 0; i < 3; i++) this.u16(0);
    return this.u16(DOS_DATE).u32(crc).u32(size).u32(size).u16(name.length).u16(0);
  }

  name({ name }: ZipMember): this {
    this.bytes.set(name, this.offset);
    this.offset += name.length;
    return this;
  }

  u16(value: number): this {
    this.view.setUint16(this.offset, value, true);
    this.offset += 2;
    return this;
  }

  u32(value: number): this {
    this.view.setUint32(this.offset, value, true);
    this.offset += 4;
    return this;
  }
}
