// What a page shows of the API: asked for, asked for again while it is looked at, and kept while the next answer is on its way.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, loginEnded, NoAnswer, Problem } from './api';

export interface Resource<T> {
  data: T | undefined;
  etag: string | null;
  /** What the last attempt ended with, if it failed. */
  problem: Problem | null;
  loading: boolean;
  /** When the data came. */
  at: number;
  reload: () => void;
}

/**
 * Reads an address of the API every so many milliseconds while the page is visible; null asks for nothing. The address is all it depends on.
 * While an answer to another address is on its way, what was there is kept, so that a page does not flicker.
 */
export function useResource<T>(path: string | null, everyMs = 5000): Resource<T> {
  const [state, set] = useState<Omit<Resource<T>, 'reload'>>({ data: undefined, etag: null, problem: null, loading: path !== null, at: 0 });
  const again = useRef<() => void>(() => {});
  useEffect(() => {
    if (path === null) {
      set({ data: undefined, etag: null, problem: null, loading: false, at: 0 });
      return;
    }
    const stop = new AbortController();
    let timer: number | undefined;
    let failures = 0;
    let running = false;
    const run = async () => {
      if (running || stop.signal.aborted) return;
      running = true;
      clearTimeout(timer);
      let wait = everyMs;
      try {
        const { body, etag } = await ask<T>(path, { signal: stop.signal });
        failures = 0;
        set({ data: body, etag, problem: null, loading: false, at: Date.now() });
      } catch (error) {
        if (stop.signal.aborted) return;
        failures++;
        if (error instanceof Problem) {
          set(before => ({ ...before, problem: error, loading: false, data: error.status === 404 || error.status === 403 ? undefined : before.data }));
          wait = Math.max(wait, (error.retryAfterSeconds ?? 0) * 1000);
          // What this broker does not have it will not have the next time either.
          if (error.kind === 'no-such-endpoint') return;
        } else if (error instanceof NoAnswer) {
          set(before => ({ ...before, loading: before.data === undefined }));
        } else {
          throw error;
        }
        wait = Math.max(wait === Infinity ? 2000 : wait, Math.min(30_000, 1000 * 2 ** Math.min(failures, 5)));
      } finally {
        running = false;
      }
      if (wait !== Infinity && !stop.signal.aborted) timer = window.setTimeout(tick, wait);
    };
    const tick = () => {
      // Nobody looks, or nobody is let in: neither is worth a question.
      if (document.hidden || loginEnded.value) timer = window.setTimeout(tick, 1000);
      else void run();
    };
    again.current = () => void run();
    set(before => ({ ...before, loading: true, problem: null }));
    void run();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [path, everyMs]);
  return { ...state, reload: () => again.current() };
}
