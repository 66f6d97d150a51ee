import * as zarr from 'zarrita';

/** The part of a codec that is changed here. */
interface Codec {
  decode: (bytes: Uint8Array, out?: Uint8Array) => unknown;
}
type Entry = Awaited<ReturnType<NonNullable<ReturnType<typeof zarr.registry.get>>>>;
type Meta = Parameters<Entry['fromConfig']>[1];

/** Where a Blosc frame says its own length (uint32, little-endian), and how long its header is. */
const BLOSC_LENGTH_AT = 12;
const BLOSC_HEADER = 16;

/**
 * Make the Blosc codec of zarrita refuse a frame that is not as long as it says: the library would read beyond its end,
 * and give numbers that were never measured.
 *
 * Called once, in the thread that reads Zarr.
 */
export function checkBlosc(): void {
  for (const name of ['blosc', 'numcodecs.blosc']) {
    const load = zarr.registry.get(name);
    if (!load) continue;
    zarr.registry.set(name, async () => {
      const entry = await load();
      const make: (config: unknown, meta: Meta) => Codec = entry.fromConfig.bind(entry);
      const fromConfig = (config: unknown, meta: Meta): Codec => checked(make(config, meta));
      return Object.assign(Object.create(entry) as Entry, { fromConfig });
    });
  }
}

function checked(codec: Codec): Codec {
  const decode = codec.decode.bind(codec);
  codec.decode = (bytes, out) => {
    verifyFrame(bytes);
    return decode(bytes, out);
  };
  return codec;
}

function verifyFrame(bytes: Uint8Array): void {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = bytes.length < BLOSC_HEADER ? 0 : header.getUint32(BLOSC_LENGTH_AT, true);
  if (length !== bytes.length) throw new Error('a Blosc frame of another length');
}

/** Make an array refuse a piece with more or fewer numbers than its shape: zarrita would leave the others as they were. */
export function checkPieces<Store extends zarr.Readable>(array: zarr.Array<zarr.DataType, Store>): void {
  const getChunk = array.getChunk.bind(array);
  array.getChunk = async (...args) => {
    const chunk = await getChunk(...args);
    const cells = chunk.shape.reduce((product, length) => product * length, 1);
    if (chunk.data.length !== cells) throw new Error('a piece of another length');
    return chunk;
  };
}
