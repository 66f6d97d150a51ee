import { z } from 'zod';

/** Only over TLS, but on the same machine. */
export const providerUrl = z
  .url({ protocol: /^https?$/ })
  .refine((text) => isSafe(text), 'https, or http on loopback');

function isSafe(text: string): boolean {
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
}
