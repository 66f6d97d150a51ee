import type { ModelOutline } from './model-outline.js';

const WIDTH = 230;
const HEIGHT = 46;
const GAP = { across: 40, down: 26 } as const;
const MARGIN = 24;

interface Node {
  readonly name: string;
  readonly kind: 'input' | 'layer' | 'head';
  readonly title: string;
  readonly text: string;
}
interface Placed extends Node {
  readonly x: number;
  readonly y: number;
}

/**
 * The graph of a model as one self-contained SVG, from the inputs at the top to the heads; readable without the picture
 * by its title and description.
 */
export function modelSvg(outline: ModelOutline): string {
  const placed = place(nodesOf(outline), outline);
  const at = new Map(placed.map((node) => [node.name, node]));
  const width = Math.max(...placed.map(({ x }) => x)) + WIDTH + MARGIN;
  const height = Math.max(...placed.map(({ y }) => y)) + HEIGHT + MARGIN;
  const arrows = outline.arrows.map(({ from, to }) => arrow(at.get(from), at.get(to)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title text">`,
    `<title id="title">${escaped(`Model of ${outline.plan}`)}</title>`,
    `<desc id="text">${escaped(textAlternative(outline))}</desc>`,
    `<style>${STYLE}</style>`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>',
    `<rect class="page" width="${width}" height="${height}"/>`,
    ...arrows,
    ...placed.map(box),
    '</svg>',
    '',
  ].join('\n');
}

const STYLE = [
  'text{font:13px system-ui,sans-serif;fill:#1b1f24}.small{font-size:11px;fill:#57606a}',
  '.page{fill:#fff}.box{stroke:#57606a;fill:#f6f8fa}.input{fill:#ddf4ff}.head{fill:#dafbe1}',
  'path{fill:none;stroke:#57606a}.tip{fill:#57606a;stroke:none}',
  '@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9da7b3}.page{fill:#0d1117}',
  '.box{fill:#161b22;stroke:#9da7b3}.input{fill:#0c2d4a}.head{fill:#12361f}path{stroke:#9da7b3}.tip{fill:#9da7b3}}',
].join('');

/** The model in words: every node with its shape and its parameters. */
export function textAlternative(outline: ModelOutline): string {
  const sources = (name: string): string =>
    outline.arrows
      .filter(({ to }) => to === name)
      .map(({ from }) => from)
      .join(' and ');
  const layers = outline.layers.map(
    ({ layer, what, outputShape, parameters }) =>
      `${layer} (${what}) reads ${sources(layer)}, gives ${shape(outputShape)}, ${parameters} parameters`,
  );
  const inputs = outline.inputs.map((input) => `${input.name} has ${shape(input.shape)}`);
  const heads = outline.heads.map(({ block, loss }) => `${sources(`head/${block}`)} is trained by ${loss}`);
  return `${[...inputs, ...layers, ...heads].join('; ')}.`;
}

function nodesOf({ inputs, layers, heads }: ModelOutline): Node[] {
  return [
    ...inputs.map((input): Node => {
      const mask = input.mask === 'none' ? '' : `, mask by ${input.mask}`;
      return { name: input.name, kind: 'input', title: input.name, text: `${shape(input.shape)}${mask}` };
    }),
    ...layers.map(({ layer, what, outputShape, parameters, note }): Node => {
      const count = parameters > 0 ? ` · ${parameters.toLocaleString('en')}` : '';
      const text = `${layer.split('/')[0]} · ${shape(outputShape)}${count}${note ? ` · ${note}` : ''}`;
      return { name: layer, kind: 'layer', title: what, text };
    }),
    ...heads.map(({ block, shape: out, loss }): Node => {
      return { name: `head/${block}`, kind: 'head', title: loss, text: `${block} · ${shape(out)}` };
    }),
  ];
}

/** A row below all that a node reads; under the first of them if that place is free, else to its right. */
function place(nodes: readonly Node[], { arrows }: ModelOutline): Placed[] {
  const cells = new Map<string, { row: number; column: number }>();
  const taken = new Set<string>();
  for (const { name } of nodes) {
    const sources = arrows.filter(({ to }) => to === name).flatMap(({ from }) => cells.get(from) ?? []);
    const row = Math.max(-1, ...sources.map((cell) => cell.row)) + 1;
    let column = Math.min(...sources.map((cell) => cell.column), sources.length > 0 ? Infinity : 0);
    while (taken.has(`${row} ${column}`)) column++;
    // an arrow that skips rows keeps its column free
    for (let r = row; r > Math.min(row, ...sources.map((cell) => cell.row)); r--) taken.add(`${r} ${column}`);
    taken.add(`${row} ${column}`);
    cells.set(name, { row, column });
  }
  return nodes.map((node) => {
    const { row, column } = cells.get(node.name) ?? { row: 0, column: 0 };
    return {
      ...node,
      x: MARGIN + column * (WIDTH + GAP.across),
      y: MARGIN + row * (HEIGHT + GAP.down),
    };
  });
}

function arrow(from: Placed | undefined, to: Placed | undefined): string {
  if (!from || !to) return '';
  const [x1, y1, x2, y2] = [from.x + WIDTH / 2, from.y + HEIGHT, to.x + WIDTH / 2, to.y];
  const bend = Math.min(GAP.down, (y2 - y1) / 2);
  return `<path marker-end="url(#tip)" d="M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}"/>`;
}

function box({ kind, title, text, x, y }: Placed): string {
  return [
    `<g><rect class="box ${kind}" x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" rx="6"/>`,
    `<text x="${x + 10}" y="${y + 19}">${escaped(clipped(title, 31))}</text>`,
    `<text class="small" x="${x + 10}" y="${y + 36}">${escaped(clipped(text, 40))}</text></g>`,
  ].join('');
}

const shape = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`;
const clipped = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
