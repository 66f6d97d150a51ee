/** Text as it may stand in HTML and in quoted attributes. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** A number for people: three significant digits; a dash where there is none. */
export function numberText(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const rounded = Number(value.toPrecision(digits));
  const isPlain = rounded === 0 || (Math.abs(rounded) >= 1e-4 && Math.abs(rounded) < 1e7);
  return isPlain ? rounded.toLocaleString('en', { maximumFractionDigits: 6 }) : rounded.toExponential();
}

/** `0.71 to 0.82`, or nothing. */
export const intervalText = (interval: readonly [number, number] | null | undefined): string =>
  interval ? `${numberText(interval[0])} to ${numberText(interval[1])}` : '';

/** A table with headings; the first cell of a row heads it. */
export function htmlTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = titles.map((title) => `<th scope="col">${escaped(title)}</th>`).join('');
  const body = rows.map(
    ([first = '', ...rest]) =>
      `<tr><th scope="row">${escaped(first)}</th>${rest.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`,
  );
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table>`;
}
