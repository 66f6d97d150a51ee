/** One changed copy of a message, with where it differs. */
export interface Mutation<T> {
  readonly path: string;
  readonly message: T;
}

/**
 * All single-field changes of a message: one bit of every byte string, one step of every number, one letter more in every text, one element less in
 * every list.
 */
export function mutationsOf<T extends object>(message: T): Mutation<T>[] {
  return changes(message, '').map(({ path, message: changed }) => ({ path, message: changed as T }));
}

function changes(value: unknown, path: string): Mutation<unknown>[] {
  if (typeof value === 'number') return [{ path, message: value + 1 }];
  if (typeof value === 'string') return [{ path, message: `${value}x` }];
  if (value instanceof Uint8Array) {
    const bytes = value.slice();
    if (bytes.length === 0) return [{ path, message: Uint8Array.of(1) }];
    const at = path.length % bytes.length;
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (path.length % 8));
    return [{ path, message: bytes }];
  }
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const shorter = items.length > 0 ? [{ path: `${path}.length`, message: items.slice(1) }] : [];
    const inner = items.flatMap((item, k) =>
      changes(item, `${path}[${k}]`).map((m) => ({ path: m.path, message: items.with(k, m.message) })),
    );
    return [...shorter, ...inner];
  }
  return Object.entries(value as object).flatMap(([name, member]) =>
    changes(member, `${path}.${name}`).map((m) => ({
      path: m.path,
      message: { ...(value as object), [name]: m.message },
    })),
  );
}
