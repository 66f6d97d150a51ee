import { basename } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import type { MatrixSink, ReadOptions } from '../stream/index.js';
import { TreeThread } from '../tree/index.js';
import { readAnnData } from './anndata.js';
import { readTenxH5, tenxGroups } from './tenx-h5.js';

/** An HDF5 file: AnnData or a 10x matrix. @throws E_DATA_FORMAT, E_ARGUMENT */
export async function readHdf5(path: string, options: ReadOptions, sink: MatrixSink): Promise<void> {
  const tree = new TreeThread('hdf5', path, options.patienceMs);
  const file = basename(path);
  try {
    const root = await tree.node('');
    const names = root?.kind === 'group' ? root.children : [];
    if (names.includes('obs') && names.includes('var')) {
      return await readAnnData({ tree, file, container: 'h5ad' }, options, sink);
    }
    const groups = await tenxGroups(tree);
    if (groups) return await readTenxH5(tree, groups, file, options, sink);
    throw new RegulonError('E_DATA_FORMAT', `${file}: HDF5, but neither AnnData nor a 10x matrix`);
  } finally {
    await tree.close();
  }
}

/** AnnData in a Zarr store, a folder or a zip archive. @throws E_DATA_FORMAT */
export async function readZarr(path: string, options: ReadOptions, sink: MatrixSink): Promise<void> {
  const tree = new TreeThread('zarr', path, options.patienceMs);
  try {
    return await readAnnData({ tree, file: basename(path), container: 'Zarr' }, options, sink);
  } finally {
    await tree.close();
  }
}
