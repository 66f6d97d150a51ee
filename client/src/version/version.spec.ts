import { describe, expect, it } from '@jest/globals';
import { DAEMON_CODE, DAEMON_VERSION } from './index.js';

describe('the version of the daemon', () => {
  it('is the code that plans are proposed for; logs of this version hold this digest', () => {
    expect(DAEMON_VERSION).toBe('0.1.0');
    expect(DAEMON_CODE).toBe('sha256:4843f31a71e2eebfab86f70de72459f110a1f86a7d340c1cda944c9519d6d5fd');
  });
});
