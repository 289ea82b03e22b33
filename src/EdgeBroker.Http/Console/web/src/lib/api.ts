// The admin API, as the logged-in user.
import { signal } from '@preact/signals';
import { queryText, type Query } from './address';

/** Who is logged in. */
export interface Me {
  user: string;
  role: 'viewer' | 'operator' | 'admin';
  csrf_token: string;
  ends_at?: string | null;
}

export interface FieldError {
  at?: string;
  is?: string;
  expected?: string;
  file?: string;
  line?: number;
  column?: number;
  message?: string;
  nearest?: string;
}

/** An answer that says no, as the broker worded it. */
export class Problem extends Error {
  readonly kind: string;

  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    type: string,
    readonly requestId: string | null,
    readonly errors: FieldError[],
    readonly retryAfterSeconds: number | null,
    readonly needs: string | null,
  ) {
    super(detail || title);
    this.kind = type.slice(type.lastIndexOf(':') + 1);
  }
}

/** No answer came. */
export class NoAnswer extends Error {}

/** Undefined until it is known, null when nobody is logged in. */
export const me = signal<Me | null | undefined>(undefined);

/** True when a login that there was has ended, so that the page stays as it is under the question for another. */
export const loginEnded = signal(false);

/** When the broker last answered anything, and since when it does not. */
export const lastAnswerAt = signal(0);
export const silentSince = signal<number | null>(null);

export interface Answer<T> {
  status: number;
  body: T;
  etag: string | null;
}

export interface Request {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

// What a page asks for by itself keeps nobody logged in.
const IDLE_MS = 60_000;
let touchedAt = Date.now();
for (const kind of ['pointerdown', 'keydown']) globalThis.addEventListener?.(kind, () => (touchedAt = Date.now()), true);

const READ_WITHIN_MS = 8000;
const DONE_WITHIN_MS = 30_000;

/** Asks the broker. The path is encoded, and under /api/v1/ unless it begins with a slash. */
export async function ask<T>(path: string, request: Request = {}): Promise<Answer<T>> {
  const method = request.method ?? 'GET';
  const headers: Record<string, string> = { Accept: 'application/json', ...request.headers };
  if (method !== 'GET' && me.value) headers['X-CSRF-Token'] = me.value.csrf_token;
  if (Date.now() - touchedAt > IDLE_MS) headers['X-Background'] = '1';
  let body: string | undefined;
  if (request.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    body = JSON.stringify(request.body);
  }
  const limit = AbortSignal.timeout(method === 'GET' ? READ_WITHIN_MS : DONE_WITHIN_MS);
  const stop = request.signal;
  if (stop?.aborted) throw stop.reason;
  const both = new AbortController();
  for (const source of [limit, stop]) source?.addEventListener('abort', () => both.abort(source.reason), { once: true });
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${path.startsWith('/') ? '' : '/api/v1/'}${path}${queryText(request.query ?? {})}`, {
      method, headers, body, credentials: 'same-origin', cache: 'no-store', redirect: 'error', signal: both.signal,
    });
    text = await response.text();
  } catch (error) {
    if (stop?.aborted) throw error;
    silentSince.value ??= Date.now();
    throw new NoAnswer('no answer');
  }
  answered();
  if (!response.ok) {
    const problem = problemOf(response, text);
    if (problem.status === 401 && path !== 'login' && me.value) loginEnded.value = true;
    throw problem;
  }
  return { status: response.status, body: parseBody<T>(text, response), etag: response.headers.get('ETag') };
}

/** The body of a GET. */
export async function read<T>(path: string, query: Query = {}, stop?: AbortSignal): Promise<T> {
  return (await ask<T>(path, { query, signal: stop })).body;
}

export function answered(): void {
  lastAnswerAt.value = Date.now();
  silentSince.value = null;
}

function parseBody<T>(text: string, response: Response): T {
  if (text === '') return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new Problem(response.status, 'Not understood', 'The answer is no JSON.', '', response.headers.get('X-Request-Id'), [], null, null);
  }
}

function problemOf(response: Response, text: string): Problem {
  let body: Record<string, unknown> = {};
  try {
    body = JSON.parse(text) as Record<string, unknown>;
  } catch {
    body = { detail: text.slice(0, 500) };
  }
  const word = (name: string) => (typeof body[name] === 'string' ? (body[name] as string) : '');
  const retry = Number(response.headers.get('Retry-After'));
  return new Problem(
    response.status,
    word('title') || response.statusText || `Status ${response.status}`,
    word('detail'),
    word('type'),
    word('request_id') || response.headers.get('X-Request-Id'),
    Array.isArray(body.errors) ? (body.errors as FieldError[]) : [],
    Number.isFinite(retry) && retry > 0 ? retry : null,
    word('needs') || null,
  );
}

/** True where the logged-in user may do what this role may. */
export function may(role: 'operator' | 'admin'): boolean {
  const mine = me.value?.role;
  return mine === 'admin' || mine === role;
}
