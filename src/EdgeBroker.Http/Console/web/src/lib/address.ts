// Addresses of the API. A client id or a topic is one segment of the path, so each of its bytes is encoded that means anything there.

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Text as one segment of a path or one value of a query. */
export function encode(text: string): string {
  // Halves of surrogate pairs have no encoding; the broker knows none either, as it takes UTF-8 only.
  return encodeURIComponent(text.replace(/[\ud800-\udfff]/gu, '\ufffd')).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** "." and ".." are removed from any path by whoever reads an address, encoded or not: they travel in the query. */
export function travelsInPath(text: string): boolean {
  return text !== '.' && text !== '..' && text !== '';
}

export function queryText(query: Query): string {
  const pairs = Object.entries(query)
    .filter(([, value]) => value != null && value !== '')
    .map(([name, value]) => `${encode(name)}=${encode(String(value))}`);
  return pairs.length > 0 ? `?${pairs.join('&')}` : '';
}

/** The address of one session, topic or retained value: `sessions/a%2Fb`, or `sessions?client_id=..` where that cannot travel. */
export function resource(list: 'sessions' | 'topics' | 'retained', id: string, query: Query = {}): string {
  const parameter = list === 'sessions' ? 'client_id' : 'topic';
  return travelsInPath(id) ? `${list}/${encode(id)}${queryText(query)}` : `${list}${queryText({ [parameter]: id, ...query })}`;
}
