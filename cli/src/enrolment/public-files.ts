import { writeWhole } from '../files/index.js';

/** Write a file that others may read; it appears whole. */
export function writePublic(path: string, content: string | Uint8Array): void {
  writeWhole(path, content, 0o644);
}

/** Write a document that only its owner may read; it appears whole, and replaces the one before it. */
export function writePrivate(path: string, document: unknown): void {
  writeWhole(path, `${JSON.stringify(document, null, 2)}\n`, 0o600);
}

/** Write a document that travels between people; it holds nothing secret. */
export function writeDocument(path: string, document: unknown): void {
  writeWhole(path, `${JSON.stringify(document, null, 2)}\n`, 0o644);
}
