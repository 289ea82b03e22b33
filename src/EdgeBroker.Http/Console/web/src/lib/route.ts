// The address after "#": which page, of what, seen how. Every view is a link.

export interface Route {
  /** The segments of the path, decoded. */
  path: string[];
  query: Map<string, string>;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A link that somebody mistyped: shown as it is, rather than no page at all.
    return text;
  }
}

/** Reads "#/clients/a%2Fb?tab=queue". */
export function parse(hash: string): Route {
  const text = hash.replace(/^#?\/?/, '');
  const mark = text.indexOf('?');
  const path = (mark < 0 ? text : text.slice(0, mark)).split('/').filter(part => part !== '').map(decode);
  const query = new Map<string, string>();
  if (mark >= 0) {
    for (const pair of text.slice(mark + 1).split('&')) {
      if (pair === '') continue;
      const equals = pair.indexOf('=');
      const name = equals < 0 ? pair : pair.slice(0, equals);
      query.set(decode(name), equals < 0 ? '' : decode(pair.slice(equals + 1)));
    }
  }
  return { path, query };
}

/** Writes the address of a view; what is empty in the query is left out. */
export function link(path: readonly string[], query: Readonly<Record<string, string | null | undefined>> = {}): string {
  const pairs = Object.entries(query)
    .filter((entry): entry is [string, string] => entry[1] != null && entry[1] !== '')
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return `#/${path.map(encodeURIComponent).join('/')}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`;
}

/** The same view with other settings in its address. */
export function withQuery(route: Route, changes: Readonly<Record<string, string | null | undefined>>): string {
  return link(route.path, { ...Object.fromEntries(route.query), ...changes });
}
