/** log2(x + 1) of transcripts per million, or of fragments per kilobase and million. */
export interface GeneLengthsFit {
  readonly step: 'log2-tpm' | 'log2-fpkm';
  /** bases of every gene of the panel, > 0 */
  readonly lengths: Uint32Array;
  /** genes that a unit's total is taken over, panel positions; the whole panel when absent */
  readonly libraryGenes?: Uint32Array;
}
