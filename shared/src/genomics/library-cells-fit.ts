/** Median library size from one histogram around the mean, for runs that are not public; logarithms to base 2. */
export interface LibraryCellsFit {
  readonly step: 'library-cells';
  readonly mean: number;
  readonly sd: number;
  /** 0 before the histogram is known */
  readonly median: number;
}
