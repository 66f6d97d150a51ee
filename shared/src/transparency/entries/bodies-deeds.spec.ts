import { describe, expect, it } from '@jest/globals';
import { accessRequestBody, adminActBody } from './bodies-deeds.js';

const by = (id: string, role = 'operator'): object => ({
  ...{ actor: { role, id }, action: 'account.add', object: 'p-abcdefghijklmnop', outcome: 'done' },
});

describe('entries about people at the coordinator', () => {
  it('name them by opaque ids', () => {
    expect(adminActBody.safeParse(by('p-ponmlkjihgfedcba')).success).toBe(true);
    expect(accessRequestBody.safeParse(by('token-file', 'token-file')).success).toBe(true);
  });

  it.each(['ada', 'ada@example.org', 'p-adalovelace', '127.0.0.1', 'p-abcdefghijklmnoq', ''])(
    'have no room for the name %j',
    (id) => {
      expect(adminActBody.safeParse(by(id)).success).toBe(false);
      expect(accessRequestBody.safeParse(by(id)).success).toBe(false);
    },
  );
});
