// The one stream of server-sent events that a tab has. It is opened for what the page on view wants and closed while nobody looks.
import { signal } from '@preact/signals';
import { answered, me } from './api';
import { queryText } from './address';

export type StreamState = 'off' | 'connecting' | 'live' | 'polling';

export const streamState = signal<StreamState>('off');

type Listener = (data: unknown) => void;

const listeners = new Map<string, Set<Listener>>();
let source: EventSource | null = null;
let opened = '';
let retry: number | undefined;
let hiding: number | undefined;
let failures = 0;

const HIDDEN_MS = 30_000;

/** Hears a channel until the returned function is called. */
export function hear(channel: string, listener: Listener): () => void {
  let set = listeners.get(channel);
  if (!set) listeners.set(channel, (set = new Set()));
  set.add(listener);
  queueMicrotask(refresh);
  return () => {
    set.delete(listener);
    if (set.size === 0 && listeners.get(channel) === set) listeners.delete(channel);
    queueMicrotask(refresh);
  };
}

function refresh(): void {
  const wanted = me.value && !document.hidden ? [...listeners.keys()].sort().join(',') : '';
  if (wanted === opened) return;
  close();
  if (wanted === '') return;
  opened = wanted;
  streamState.value = 'connecting';
  source = new EventSource(`/api/v1/stream${queryText({ channels: wanted })}`);
  source.onopen = () => {
    failures = 0;
    answered();
    streamState.value = 'live';
  };
  source.onerror = () => {
    // The browser retries what broke off by itself, but gives up on a refusal, of which it does not tell the cause.
    if (source?.readyState !== EventSource.CLOSED) {
      streamState.value = 'connecting';
      return;
    }
    failures++;
    streamState.value = 'polling';
    const closed = source;
    source = null;
    closed.close();
    retry = window.setTimeout(() => {
      opened = '';
      refresh();
    }, Math.min(60_000, 2000 * 2 ** Math.min(failures, 5)));
  };
  for (const channel of listeners.keys()) {
    const name = channel.split(':', 1)[0]!;
    source.addEventListener(name, event => deliver(name, event as MessageEvent<string>));
  }
  source.addEventListener('bye', () => {
    close();
    opened = '';
    refresh();
  });
}

function deliver(name: string, event: MessageEvent<string>): void {
  answered();
  streamState.value = 'live';
  let data: unknown;
  try {
    data = JSON.parse(event.data);
  } catch {
    return;
  }
  // A listener may come and go by what it hears.
  for (const [channel, set] of [...listeners]) {
    if (channel === name || channel.startsWith(`${name}:`)) [...set].forEach(listener => listener(data));
  }
}

function close(): void {
  clearTimeout(retry);
  source?.close();
  source = null;
  opened = '';
  streamState.value = 'off';
}

export function startStream(): void {
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = window.setTimeout(refresh, HIDDEN_MS);
    else refresh();
  });
  me.subscribe(() => queueMicrotask(refresh));
}
