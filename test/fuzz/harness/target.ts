import type { ErrorCode } from '@regulon/shared/errors';
import type { Dice } from '../../security/support/dice.js';

/** A decoder that sees bytes from outside, with what must hold for every input. */
export interface Target {
  /** as in `--target`, and the folder of its corpus */
  readonly name: string;
  /** codes under which it may refuse an input; any of the registry but E_INTERNAL when left out */
  readonly codes?: readonly ErrorCode[];
  /** small inputs that the real encoders give; the corpus is made of them */
  readonly examples: () => readonly Uint8Array[];
  /**
   * Decode one input, and check the properties of an accepted one.
   *
   * @throws RegulonError when the input is refused; anything else is a finding
   */
  readonly run: (input: Uint8Array) => void | Promise<void>;
  /** changes the structure inside an input and encodes it again; bytes alone are changed when left out */
  readonly change?: (input: Uint8Array, dice: Dice) => Uint8Array;
  /** words of the format, to be put into inputs */
  readonly words?: readonly string[];
  /** most bytes of an input; default 64 KiB */
  readonly maxBytes?: number;
  /** inputs of the pass in continuous integration; default 4,000 */
  readonly inputs?: number;
  /** let go of folders and servers */
  readonly close?: () => void | Promise<void>;
}

/** An accepted input for which a property does not hold. */
export class PropertyBroken extends Error {
  override readonly name = 'PropertyBroken';
}

/** @throws PropertyBroken unless `holds` */
export function mustHold(holds: boolean, property: string): void {
  if (!holds) throw new PropertyBroken(property);
}
