// The layers' kernels: every .wat file of client/src/training/kernels in one WebAssembly module, as base64 in TypeScript.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import wabt from 'wabt';

const folder = join(import.meta.dirname, '../client/src/training/kernels');
const parts = readdirSync(folder)
  .filter((name) => name.endsWith('.wat'))
  .sort()
  .map((name) => readFileSync(join(folder, name), 'utf8'));
const source = `(module (import "env" "memory" (memory 0))\n${parts.join('\n')})`;
const parsed = (await wabt()).parseWat('layer-kernels.wat', source, { simd: true });
parsed.validate();
const binary = Buffer.from(parsed.toBinary({}).buffer);
const lines = binary.toString('base64').match(/.{1,104}/g);
writeFileSync(
  join(folder, 'layer-kernels-binary.ts'),
  `/** SHA-256 of the module below; the backend refuses other bytes. */
export const LAYER_KERNELS_SHA256 = '${createHash('sha256').update(binary).digest('hex')}';

/** The \`.wat\` files of this folder as one module, base64: \`npm run kernels\`; a spec rebuilds it and compares. */
export const LAYER_KERNELS_BASE64 =
${lines.map((line) => `  '${line}'`).join(' +\n')};
`,
);
