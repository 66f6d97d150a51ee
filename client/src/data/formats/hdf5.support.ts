import h5wasm, { type Group } from 'h5wasm/node';
import { join } from 'node:path';
import { folder } from '../source-files.support.js';

let files = 0;

/** Write an HDF5 file for a spec. @returns its path */
export async function hdf5File(fill: (root: Group) => void, name = `file${files++}.h5ad`): Promise<string> {
  await h5wasm.ready;
  const path = join(folder, name);
  const file = new h5wasm.File(path, 'w');
  fill(file);
  file.close();
  return path;
}

/** A data frame of the present encoding with one categorical column. */
export function frame(root: Group, path: string, names: readonly string[], codes?: readonly number[]): void {
  const group = root.create_group(path);
  group.create_attribute('encoding-type', 'dataframe');
  group.create_attribute('_index', '_index');
  group.create_dataset({ name: '_index', data: [...names] });
  if (!codes) return;
  group.create_attribute('column-order', ['kind']);
  const column = group.create_group('kind');
  column.create_attribute('encoding-type', 'categorical');
  column.create_dataset({ name: 'codes', data: Int8Array.from(codes) });
  column.create_dataset({ name: 'categories', data: ['T cell', 'B cell'] });
}

/** What a sparse matrix is made of. */
export interface Sparse {
  readonly data: readonly number[];
  readonly indices: readonly number[];
  readonly indptr: readonly number[];
}

/** A compressed sparse matrix of the present encoding. */
export function sparse(root: Group, path: string, encoding: string, shape: number[], parts: Sparse): void {
  const group = root.create_group(path);
  group.create_attribute('encoding-type', encoding);
  group.create_attribute('shape', Int32Array.from(shape), [2], '<i');
  group.create_dataset({ name: 'data', data: Float32Array.from(parts.data) });
  group.create_dataset({ name: 'indices', data: Int32Array.from(parts.indices) });
  group.create_dataset({ name: 'indptr', data: Int32Array.from(parts.indptr) });
}
