/** A file of a package registry that this version of Regulon was tested with. */
export interface PinnedFile {
  readonly registry: 'pypi' | 'npm';
  readonly project: string;
  readonly version: string;
  readonly file: string;
  /** SHA-256 of the file, hexadecimal */
  readonly sha256: string;
}
