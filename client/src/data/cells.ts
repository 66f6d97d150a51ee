/** Characters that separate the cells of a table. */
export type Separator = '\t' | ',' | ';' | ' ';

/** The separator of a header line: tab where there is one, else the more frequent of semicolon and comma, else blanks. */
export function separatorOf(header: string): Separator {
  const line = header.trim();
  const count = (character: string): number => header.split(character).length - 1;
  if (count('\t') > 0) return '\t';
  if (count(';') > count(',')) return ';';
  return count(',') === 0 && line.includes(' ') ? ' ' : ',';
}

/**
 * Cells of one line, trimmed, quotes removed (a doubled quote inside quotes is one).
 *
 * Between tabs a quote inside a cell is a character like any other (descriptions of probes hold them).
 *
 * @returns null when a quote is not closed on this line, or, between commas, stands inside a cell
 */
export function cellsOf(line: string, separator: Separator): string[] | null {
  if (separator === ' ') return line.trim().split(/ +/);
  if (!line.includes('"')) return line.split(separator).map((cell) => cell.trim());
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    while (line[at] === ' ') at++;
    if (line[at] === '"') {
      const end = closingQuote(line, at + 1);
      if (end < 0) return null;
      cells.push(
        line
          .slice(at + 1, end)
          .replaceAll('""', '"')
          .trim(),
      );
      at = end + 1;
      while (line[at] === ' ') at++;
      if (at < line.length && line[at] !== separator) return null;
    } else {
      const next = line.indexOf(separator, at);
      const end = next < 0 ? line.length : next;
      const cell = line.slice(at, end);
      if (cell.includes('"') && separator !== '\t') return null;
      cells.push(cell.trim());
      at = end;
    }
    if (at >= line.length) return cells;
    at++;
  }
}

function closingQuote(line: string, from: number): number {
  for (let at = line.indexOf('"', from); at >= 0; at = line.indexOf('"', at + 2)) {
    if (line[at + 1] !== '"') return at;
  }
  return -1;
}

/** A copy of a text that does not keep the line alive that it was cut from: V8 cuts long texts without copying. */
export function ownText(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
