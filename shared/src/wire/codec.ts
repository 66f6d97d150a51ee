/**
 * Strict subset of the protocol buffers wire format, driven by field tables.
 *
 * There is one byte string per value and one value per byte string: fields in ascending order, defaults left out,
 * no unknown fields, shortest numbers. Every length is checked against its limit before anything is copied.
 * The tables in `messages.ts` mirror `proto/regulon`; a test compares both with protobufjs.
 */
import type { Field, Message } from './field-types.js';
import { malformed, Reader, Writer } from './reader-writer.js';

type ValueOf<F> = F extends Field<infer T> ? T : never;
/** TypeScript type of the values that a field table describes. */
export type ValuesOf<F> = { [K in keyof F]: ValueOf<F[K]> };

type AnyField = Field<unknown>;

function writeField(out: Writer, { number, type }: AnyField, value: unknown, where: string): void {
  if (type.element !== undefined) {
    type.check(value, where);
    for (const element of value as unknown[]) {
      out.varint(number * 8 + 2);
      type.element.write(out, element);
    }
    return;
  }
  if (value === undefined && type.required) throw malformed(where, 'missing');
  if (type.isAbsent(value)) return;
  type.check(value, where);
  out.varint(number * 8 + type.wire);
  type.write(out, value);
}

function readField(input: Reader, { number, type }: AnyField, where: string): unknown {
  const tag = number * 8 + type.wire;
  if (type.element !== undefined) {
    const elements: unknown[] = [];
    while (input.peekTag() === tag) {
      input.varint();
      if (elements.length === type.element.maxCount)
        throw malformed(where, `more than ${elements.length} elements`);
      elements.push(type.element.read(input));
    }
    return elements;
  }
  if (input.peekTag() !== tag) {
    if (type.required) throw malformed(where, 'missing');
    return Array.isArray(type.absent) ? [] : type.absent;
  }
  input.varint();
  const value = type.read(input);
  if (type.isAbsent(value)) throw malformed(where, 'a default value is left out');
  return value;
}

function encoded<T>(message: Message<T>, value: T): Uint8Array {
  const out = new Writer();
  message.write(out, value);
  return out.finish();
}

/**
 * Describe a message by its fields.
 *
 * @param name as in the .proto file; errors carry it
 * @param fields in ascending order of their numbers
 * @param maxBytes most bytes of one encoded message
 */
export function message<F extends Record<string, AnyField>>(
  name: string,
  fields: F,
  maxBytes: number,
): Message<ValuesOf<F>> {
  const table = Object.entries(fields);
  return {
    name,
    maxBytes,
    fields,
    write(out, value) {
      const before = out.size;
      const values = value as Record<string, unknown>;
      for (const [key, entry] of table) writeField(out, entry, values[key], `${name}.${key}`);
      const size = out.size - before;
      if (size > maxBytes) throw malformed(name, `${size} bytes where at most ${maxBytes} are allowed`);
    },
    encode(value) {
      return encoded(this, value);
    },
    decode(input) {
      if (input.length > maxBytes)
        throw malformed(name, `${input.length} bytes where at most ${maxBytes} are allowed`);
      const reader = new Reader(input, name);
      const value: Record<string, unknown> = {};
      for (const [key, entry] of table) {
        const read = readField(reader, entry, `${name}.${key}`);
        if (read !== undefined) value[key] = read;
      }
      if (!reader.done) throw malformed(name, 'an unknown, repeated or misplaced field');
      return value as ValuesOf<F>;
    },
  };
}

type Cases = Readonly<Record<string, readonly [number, Message<unknown>]>>;
type BodyOf<M> = M extends Message<infer T> ? T : never;
/** Tagged union of the cases: `{ type: 'hello', … }`. */
export type UnionOf<C extends Cases> = { [K in keyof C]: { type: K } & BodyOf<C[K][1]> }[keyof C];

/** A message with exactly one of several bodies (a protobuf `oneof`). */
export function union<C extends Record<string, readonly [number, Message<unknown>]>>(
  name: string,
  cases: C,
  maxBytes: number,
): Message<UnionOf<C>> {
  const byTag = new Map(
    Object.entries(cases).map(([type, [number, body]]) => [number * 8 + 2, { type, body }]),
  );
  const tagOf = new Map([...byTag].map(([tag, { type }]) => [type, tag]));
  return {
    name,
    maxBytes,
    fields: {},
    write(out, value) {
      const tag = tagOf.get(value.type as string);
      if (tag === undefined) throw malformed(name, 'unknown type');
      const body = new Writer();
      byTag.get(tag)!.body.write(body, value);
      out.varint(tag);
      out.delimited(body);
    },
    encode(value) {
      return encoded(this, value);
    },
    decode(input) {
      if (input.length > maxBytes)
        throw malformed(name, `${input.length} bytes where at most ${maxBytes} are allowed`);
      const reader = new Reader(input, name);
      const entry = byTag.get(reader.done ? -1 : reader.varint());
      if (entry === undefined) throw malformed(name, 'unknown type');
      const body = entry.body.decode(reader.view(entry.body.maxBytes)) as object;
      if (!reader.done) throw malformed(name, 'more than one body');
      return { type: entry.type, ...body } as UnionOf<C>;
    },
  };
}
