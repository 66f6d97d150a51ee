import { type Tile, TILE_WIDTH, tilePath } from '../merkle/tiles.js';

/** The tile of a path, undefined if it is not the one spelling of a tile's path. */
export function parseTilePath(path: string): Tile | undefined {
  const match = /^tile\/(entries|[0-7])\/((?:x\d{3}\/){0,3}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (match === null) return undefined;
  const [, level = '', name = '', width] = match;
  const tile: Tile = {
    level: level === 'entries' ? level : Number(level),
    index: Number(name.replace(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  const valid = tile.width >= 1 && (width === undefined || tile.width < TILE_WIDTH);
  return valid && tilePath(tile) === path ? tile : undefined;
}

/** True for the one spelling of a tile's path. */
export function isTilePath(path: string): boolean {
  return parseTilePath(path) !== undefined;
}
