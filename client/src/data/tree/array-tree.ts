/** An attribute, as far as AnnData and 10x use them. */
export type Attribute = string | number | boolean | readonly (string | number)[];

export interface GroupNode {
  readonly kind: 'group';
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly children: readonly string[];
}
export interface ArrayNode {
  readonly kind: 'array';
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly shape: readonly number[];
  /** elements of a stored piece along each axis; the shape where there is one piece */
  readonly chunk: readonly number[];
  /** `record`: named fields, of which numbers and texts can be read */
  readonly type: 'number' | 'text' | 'record' | 'other';
  /** names of the fields of a record */
  readonly fields: readonly string[];
}
export type TreeNode = GroupNode | ArrayNode;

/** Groups and arrays of an HDF5 file or a Zarr store. Paths are names joined by `/`, the root is empty. */
export interface ArrayTree {
  /** @returns null where there is nothing */
  node(path: string): Promise<TreeNode | null>;
  /**
   * Numbers in [start, end) along each axis, row-major.
   *
   * @throws E_DATA_FORMAT when they are no numbers, or too many at once
   */
  numbers(path: string, start: readonly number[], end: readonly number[]): Promise<Float64Array>;
  /** All texts of an array. @param field of a record */
  texts(path: string, field?: string): Promise<string[]>;
  /** All numbers of a field of an array of records. */
  fieldNumbers(path: string, field: string): Promise<Float64Array>;
  close(): Promise<void>;
}

/** Numbers that one call may ask for: 128 MiB. */
export const MAX_NUMBERS = 2 ** 24;
/** Elements of one stored piece; it is unpacked whole. */
export const MAX_CHUNK = 2 ** 27;
/** Names of units or genes. */
export const MAX_TEXTS = 10_000_000;

/** Number of elements of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
