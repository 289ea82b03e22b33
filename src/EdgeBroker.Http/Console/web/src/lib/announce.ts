// What happened, in one sentence: shown for a while, and said by screen readers.
import { signal } from '@preact/signals';

export interface Notice {
  text: string;
  kind: 'good' | 'bad';
  /** An offer to take it back. */
  undo?: () => void;
}

export const notice = signal<Notice | null>(null);

let timer: number | undefined;

const SHOWN_MS = 10_000;

export function announce(text: string, kind: Notice['kind'] = 'good', undo?: () => void): void {
  clearTimeout(timer);
  notice.value = { text, kind, undo };
  timer = window.setTimeout(() => (notice.value = null), SHOWN_MS);
}

export function dismiss(): void {
  clearTimeout(timer);
  notice.value = null;
}
