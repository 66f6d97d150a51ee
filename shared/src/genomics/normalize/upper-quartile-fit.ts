/** Counts as units of one size: divided by effective library / geometric mean of the libraries. */
export interface UpperQuartileFit {
  readonly step: 'upper-quartile';
  /** genes of libraries and quartiles, panel positions, ascending */
  readonly libraryGenes: Uint32Array;
  /** mean logarithm of upper quartile / library: the product of the factors is 1 */
  readonly logQuartile: number;
  /** mean logarithm of the libraries */
  readonly logLibrary: number;
}
