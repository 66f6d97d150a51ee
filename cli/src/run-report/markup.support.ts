const VOID = new Set(['meta', '!doctype']);

/**
 * Check that markup is well formed as XML would have it: every element closed in its order, attributes quoted and
 * unique, no bare ampersand.
 *
 * @throws Error naming the element
 */
export function verifyMarkup(page: string): void {
  const open: string[] = [];
  const rest = page.replace(
    /<(\/?)([!a-z][a-z0-9]*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*(\/?)>/gi,
    (_, ...parts) => {
      const [closes, element, attributes, empty] = parts as string[];
      const name = (element ?? '').toLowerCase();
      const names = [...(attributes ?? '').matchAll(/([\w:-]+)="/g)].map(([, attribute]) => attribute);
      if (new Set(names).size !== names.length) throw new Error(`<${name}>: an attribute stands twice`);
      if (closes) {
        const top = open.pop();
        if (top !== name) throw new Error(`</${name}> closes <${top}>`);
      } else if (!empty && !VOID.has(name)) open.push(name);
      return '';
    },
  );
  if (open.length > 0) throw new Error(`<${open.join('>, <')}> is not closed`);
  if (/<|&(?!#\d+;)/.test(rest))
    throw new Error(`bare < or & in text: ${/.{0,20}[<&].{0,20}/s.exec(rest)?.[0]}`);
}
