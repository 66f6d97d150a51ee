import { FEATURES, type ModelDeclaration } from './declaration.js';

/** Names of the blocks or inputs that a block reads. @param index of the block in the declaration */
export function sourcesOf({ inputs, blocks }: ModelDeclaration, index: number): string[] {
  const names = inputs?.map(({ name }) => name) ?? [FEATURES];
  return [blocks[index]?.from ?? blocks[index - 1]?.name ?? names].flat();
}

/** A block's own name, and those of all blocks and inputs that it reads, also through other blocks. */
export function readBy(declaration: ModelDeclaration, name: string): Set<string> {
  const index = declaration.blocks.findIndex((block) => block.name === name);
  if (index < 0) return new Set([name]);
  // a block reads only what stands before it
  const before = { ...declaration, blocks: declaration.blocks.slice(0, index) };
  return new Set([name, ...sourcesOf(declaration, index).flatMap((source) => [...readBy(before, source)])]);
}
