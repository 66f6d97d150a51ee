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

/**
 * The head behind each block that only one head reads: what trains its weights is that head's targets alone. The block of
 * the head is one of them; blocks that several heads read, or none, are not there.
 */
export function onlyHeads(declaration: ModelDeclaration): Map<string, string> {
  const heads = (declaration.heads ?? []).map(({ block }) => ({ block, reads: readBy(declaration, block) }));
  return new Map(
    declaration.blocks.flatMap(({ name }) => {
      const [only, ...more] = heads.filter(({ reads }) => reads.has(name));
      return only && more.length === 0 ? [[name, only.block] as const] : [];
    }),
  );
}
