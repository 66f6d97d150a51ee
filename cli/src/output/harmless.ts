/** What steers a terminal, or turns the direction of a text; names and texts of others may hold it. */
const STEERING = /(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A text that a terminal shows and does not obey. */
export const harmless = (text: string): string => text.replace(STEERING, '\u{fffd}');

/** JSON that a terminal does not obey either, and that reads back as it was. */
export const escaped = (json: string): string =>
  json.replace(STEERING, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
