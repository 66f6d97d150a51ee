/** The types of fields of a message: how each is checked, written and read (see codec.ts). */
import { malformed, Reader, Writer } from './reader-writer.js';

/** A message: its field table with encode and decode. */
export interface Message<T> {
  readonly name: string;
  readonly maxBytes: number;
  readonly fields: Readonly<Record<string, Field<unknown>>>;
  /** Append the encoding of a value. @throws E_MESSAGE when it breaks a limit of its field */
  write(out: Writer, value: T): void;
  /** @throws E_MESSAGE when a value breaks a limit of its field */
  encode(value: T): Uint8Array;
  /** @throws E_MESSAGE when the bytes are not the one encoding of an allowed value */
  decode(bytes: Uint8Array): T;
}

/** How one field type is written and read, and which value its absence stands for (`undefined`: required). */
export interface FieldType<T> {
  readonly wire: 0 | 2;
  readonly absent: T | undefined;
  readonly required: boolean;
  isAbsent(value: T): boolean;
  /** check a value of our own before it is written */
  check(value: T, where: string): void;
  write(out: Writer, value: T): void;
  read(input: Reader): T;
  /** set for lists of length-delimited elements: one tag an element */
  readonly element?: FieldType<unknown> & { readonly maxCount: number };
}
/** A field of a message: its number in the .proto file, and its type. */
export interface Field<T> {
  readonly number: number;
  readonly type: FieldType<T>;
}
/** Describe a field. @param number as in the .proto file */
export const field = <T>(number: number, type: FieldType<T>): Field<T> => ({ number, type });

const varintType = <T>(
  absent: T | undefined,
  toNumber: (value: T, where: string) => number,
  fromNumber: (n: number, where: string) => T,
): FieldType<T> => ({
  wire: 0,
  absent,
  required: absent === undefined,
  isAbsent: (value) => value === absent,
  check: (value, where) => void toNumber(value, where),
  write: (out, value) => out.varint(toNumber(value, '')),
  read: (input) => fromNumber(input.varint(), input.where),
});

const whole = (max: number) => {
  const check = (n: number, where: string): number => {
    if (!Number.isInteger(n) || n < 0 || n > max) throw malformed(where, 'a number is out of range');
    return n;
  };
  return varintType<number>(0, check, check);
};
/** Whole number below 2³². */
export const u32 = whole(2 ** 32 - 1);
/** Whole number below 2⁵³ (wire type uint64). */
export const u64 = whole(Number.MAX_SAFE_INTEGER);
/** true or false. */
export const flag: FieldType<boolean> = varintType<boolean>(
  false,
  (value) => (value ? 1 : 0),
  (n, where) => {
    if (n > 1) throw malformed(where, 'neither true nor false');
    return n === 1;
  },
);
/** One of the names, numbered from 1 in this order; 0 is "unspecified" and refused. */
export function oneOfNames<const N extends readonly string[]>(names: N): FieldType<N[number]> {
  return varintType<N[number]>(
    undefined,
    (value, where) => {
      const index = names.indexOf(value);
      if (index < 0) throw malformed(where, 'unknown name');
      return index + 1;
    },
    (n, where) => {
      const name = names[n - 1];
      if (name === undefined) throw malformed(where, `number ${n} stands for no known name`);
      return name;
    },
  );
}

const lengthDelimited = <T>(
  limits: { min: number; max: number; absent: T | undefined },
  toBytes: (value: T, where: string) => Uint8Array,
  fromView: (view: Uint8Array, where: string) => T,
): FieldType<T> => {
  const encode = (value: T, where: string): Uint8Array => {
    const bytes = toBytes(value, where);
    if (bytes.length < limits.min || bytes.length > limits.max) {
      throw malformed(where, `${bytes.length} bytes where ${limits.min} to ${limits.max} are allowed`);
    }
    return bytes;
  };
  return {
    wire: 2,
    absent: limits.absent,
    required: limits.absent === undefined,
    isAbsent: (value) => limits.absent !== undefined && toBytes(value, '').length === 0,
    check: (value, where) => void encode(value, where),
    write: (out, value) => {
      const bytes = encode(value, 'own message');
      out.varint(bytes.length);
      out.raw(bytes);
    },
    read: (input) => {
      const view = input.view(limits.max);
      if (view.length < limits.min) throw malformed(input.where, `${view.length} bytes are too few`);
      return fromView(view, input.where);
    },
  };
};

const sameBytes = (value: Uint8Array): Uint8Array => value;
const copy = (view: Uint8Array): Uint8Array => new Uint8Array(view);
/** Exactly `length` bytes, required. */
export const fixed = (length: number): FieldType<Uint8Array> =>
  lengthDelimited({ min: length, max: length, absent: undefined }, sameBytes, copy);
/** Up to `max` bytes; absence is the empty string. */
export const bytes = (max: number): FieldType<Uint8Array> =>
  lengthDelimited<Uint8Array>({ min: 0, max, absent: new Uint8Array(0) }, sameBytes, copy);
/** Text of up to `max` UTF-8 bytes; absence is the empty text. */
export const text = (max: number): FieldType<string> => {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return lengthDelimited(
    { min: 0, max, absent: '' },
    (value) => encoder.encode(value),
    (view, where) => {
      try {
        return decoder.decode(view);
      } catch {
        throw malformed(where, 'not UTF-8');
      }
    },
  );
};
/** A nested message, required. */
export const nested = <T>(message: Message<T>): FieldType<T> =>
  lengthDelimited<T>(
    { min: 0, max: message.maxBytes, absent: undefined },
    (value) => message.encode(value),
    (view) => message.decode(view),
  );

/** A list of at most `maxCount` numbers, packed, or length-delimited elements, one tag each. */
export function list<T>(type: FieldType<T>, maxCount: number): FieldType<T[]> {
  const check = (value: T[], where: string): void => {
    if (value.length > maxCount) throw malformed(where, `more than ${maxCount} elements`);
    value.forEach((element) => type.check(element, where));
  };
  const common = {
    wire: 2,
    absent: [] as T[],
    required: false,
    isAbsent: (v: T[]) => v.length === 0,
    check,
  } as const;
  if (type.wire === 0) {
    const write = (out: Writer, value: T[]): void => {
      const packed = new Writer();
      value.forEach((element) => type.write(packed, element));
      out.delimited(packed);
    };
    const read = (input: Reader): T[] => {
      const packed = new Reader(input.view(maxCount * 8), input.where);
      const values: T[] = [];
      while (!packed.done) {
        if (values.length === maxCount) throw malformed(input.where, `more than ${maxCount} elements`);
        values.push(type.read(packed));
      }
      if (values.length === 0) throw malformed(input.where, 'an empty list is left out');
      return values;
    };
    return { ...common, write, read };
  }
  const element = { ...(type as FieldType<unknown>), maxCount };
  const never = (): never => {
    throw new Error('lists of length-delimited elements are written by the message');
  };
  return { ...common, element, write: never, read: never };
}
