import { drawNormals, type WordSource } from '@regulon/shared/privacy';

/** Standard normal numbers, each handed out once. */
export interface Normals {
  /**
   * The next numbers, at least one and at most `most`; valid until the next call, and then gone.
   *
   * @throws E_TRAINER_CRASH when what draws them has ended
   */
  next(most: number): Promise<Float64Array>;
  /** What was not handed out is wiped. */
  close(): Promise<void>;
}

/** Numbers drawn at once: they stay in the cache of a core. */
const PIECE = 4096;

/** Numbers drawn when they are asked for, in this thread. */
export class NormalsHere implements Normals {
  private readonly piece = new Float64Array(PIECE);

  constructor(private readonly source: WordSource) {}

  next(most: number): Promise<Float64Array> {
    const piece = this.piece.subarray(0, Math.min(PIECE, most));
    drawNormals(piece, this.source);
    return Promise.resolve(piece);
  }

  close(): Promise<void> {
    this.piece.fill(0);
    return Promise.resolve();
  }
}
