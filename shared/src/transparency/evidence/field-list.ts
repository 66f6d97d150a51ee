import { u32 } from '../../crypto/index.js';
import { RegulonError } from '../../errors/index.js';

/** Members of a list at most: the largest cohort. */
const MAX_MEMBERS = 255;

/** Reads the fields of an `enc` byte string one after the other; attacker-controlled. */
export class FieldList {
  private offset = 0;
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly what: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The next field, as a view. @throws E_MESSAGE if it is absent or not of this length */
  next(length?: number): Uint8Array {
    if (this.offset + 4 > this.bytes.length) throw this.malformed();
    const start = this.offset + 4;
    const size = this.view.getUint32(this.offset);
    if (start + size > this.bytes.length || (length !== undefined && size !== length)) throw this.malformed();
    this.offset = start + size;
    return this.bytes.subarray(start, this.offset);
  }

  number(): number {
    const field = this.next(4);
    return new DataView(field.buffer, field.byteOffset, 4).getUint32(0);
  }

  /** A count, then that many members in ascending order of their ids. */
  members<T>(read: () => T, idOf: (member: T) => number): T[] {
    const count = this.number();
    if (count > MAX_MEMBERS) throw this.malformed();
    const list = Array.from({ length: count }, read);
    if (list.some((member, i) => i > 0 && idOf(member) <= idOf(list[i - 1] as T))) throw this.malformed();
    return list;
  }

  /** @throws E_MESSAGE if bytes are left */
  end(): void {
    if (this.offset !== this.bytes.length) throw this.malformed();
  }

  private malformed(): RegulonError {
    return new RegulonError('E_MESSAGE', `${this.what} cannot be read`);
  }
}

/** A count and the encoded members. */
export function memberFields(members: readonly Uint8Array[]): Uint8Array[] {
  return [u32(members.length), ...members];
}
