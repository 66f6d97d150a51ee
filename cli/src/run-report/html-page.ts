import { escaped } from './html.js';

const STYLE =
  'body{font:15px/1.5 system-ui,sans-serif;max-width:68rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}' +
  'table{border-collapse:collapse;margin:.6rem 0}td,th{border-bottom:1px solid #ccc;padding:.2rem .9rem .2rem 0;text-align:left}' +
  'figure{display:inline-block;margin:1rem 1rem 1rem 0;max-width:33rem;vertical-align:top}svg{width:100%;font-size:12px}' +
  '.grid{stroke:#ddd}.axis{stroke:#555}.line{fill:none;stroke-width:2}code{word-break:break-all}' +
  '.verdict{font-size:1.2rem;border:2px solid #1b1f24;padding:.5rem .8rem}td{overflow-wrap:anywhere}.box td:last-child{min-width:14rem;height:3.2rem}' +
  '@media print{details{display:none}tr{break-inside:avoid}}';

/** A page that loads nothing and runs nothing. @param sections HTML */
export function htmlPage(name: string, sections: readonly string[]): string {
  const title = escaped(name);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>${title}</title><style>${STYLE}</style></head>
<body><main><h1>${title}</h1>
${sections.join('\n')}
</main></body></html>
`;
}
