// Where the page is: the address after "#", as a signal.
import { signal } from '@preact/signals';
import { link, parse, withQuery } from './route';

export const route = signal(parse(location.hash));

export function startNavigation(): void {
  addEventListener('hashchange', () => (route.value = parse(location.hash)));
}

/** Goes to a view, a new step in the browser's history. */
export function go(path: readonly string[], query: Readonly<Record<string, string | null | undefined>> = {}): void {
  location.hash = link(path, query);
}

/** Settings of this view: the address follows, the history does not grow. */
export function adjust(changes: Readonly<Record<string, string | null | undefined>>): void {
  history.replaceState(null, '', withQuery(route.value, changes));
  route.value = parse(location.hash);
}

export function parameter(name: string): string {
  return route.value.query.get(name) ?? '';
}
