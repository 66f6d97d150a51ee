import { describe, expect, it } from '@jest/globals';
import { sha256 } from '@regulon/shared/crypto';
import { digestText } from '@regulon/shared/transparency';
import { safetensorsOf } from './safetensors.js';

describe('a safetensors file', () => {
  const weights = new Uint8Array(Float32Array.of(1, -2).buffer);
  const tensors = [{ name: 'w', shape: [2], offset: 0, size: 2 }];

  it('of one tensor has the published bytes', () => {
    const file = safetensorsOf(tensors, weights);
    expect([file.length, digestText(sha256(file))]).toEqual([
      72,
      'sha256:9c54a301d1883c1238adad7212e1c8b7a0ee5a828aa7b9a5fc5c4b58af05fe54',
    ]);
  });

  it('carries texts, and its offsets are those behind the header', () => {
    const file = safetensorsOf(tensors, weights, { run: 'run_1' });
    const header = Number(new DataView(file.buffer).getBigUint64(0, true));
    const text = new TextDecoder().decode(file.subarray(8, 8 + header));
    expect(JSON.parse(text)).toEqual({
      __metadata__: { run: 'run_1' },
      w: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
    });
    expect(header % 8).toBe(0);
    expect(file.subarray(8 + header)).toEqual(weights);
  });
});
