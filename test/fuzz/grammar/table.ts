import { gzipSync } from 'node:zlib';
import type { Dice } from '../../security/support/dice.js';
import { changeList } from './pieces.js';

const CELLS: readonly string[] = [
  ...['', ' ', 'NA', 'null', 'nan', '-inf', '-1', '0.5', '1,5', '1.000,5', '1e3', '1e400', '+7', '.5', '5.'],
  ...['9007199254740993', '00012', '0x10', '"', '""', '"a""b"', '"a', 'a"b', '2-Sep', 'N_unmapped', '\ufeff'],
  ...['__proto__', 'ENSG00000000003.1', '\u0000', 't10', '_5', '-0', '1'.repeat(400), '٣'],
];

/** Change a delimited table: rows and columns are lost or repeated, cells become what spreadsheets leave behind. */
export function changeTable(input: Uint8Array, dice: Dice): Uint8Array {
  const text = new TextDecoder().decode(input);
  const separator = text.includes('\t') ? '\t' : ',';
  const rows = text.split('\n').map((line) => line.split(separator));
  const changed = dice.chance(4)
    ? changeColumn(rows, dice)
    : changeList(rows, dice, (cells) => changeList(cells, dice, () => dice.pick(CELLS)));
  const other = dice.chance(10) ? dice.pick([',', ';', '\t', ' ']) : separator;
  const end = dice.chance(10) ? '\r\n' : '\n';
  const bytes = new TextEncoder().encode(changed.map((cells) => cells.join(other)).join(end));
  return dice.chance(12) ? Uint8Array.from(gzipSync(bytes)) : bytes;
}

function changeColumn(rows: readonly string[][], dice: Dice): string[][] {
  const at = dice.below(rows[0]?.length ?? 1);
  const [header = ''] = rows[0]?.slice(at) ?? [];
  const twice = dice.chance(2);
  return rows.map((cells) => cells.toSpliced(at, 1, ...(twice ? [cells[at] ?? '', header] : [])));
}
