// What this browser remembers: how the page looks, and nothing else.
import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'edgebroker';

interface Remembered {
  theme?: Theme;
  utc?: boolean;
  shortcuts?: boolean;
}

function load(): Remembered {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return value !== null && typeof value === 'object' ? value : {};
  } catch {
    return {};
  }
}

const remembered = load();
export const theme = signal<Theme>(remembered.theme === 'light' || remembered.theme === 'dark' ? remembered.theme : 'system');
export const utc = signal(remembered.utc === true);
export const shortcuts = signal(remembered.shortcuts !== false);

effect(() => {
  const value: Remembered = { theme: theme.value, utc: utc.value, shortcuts: shortcuts.value };
  document.documentElement.dataset.theme = theme.value;
  try {
    localStorage.setItem(KEY, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing still shows everything.
  }
});
