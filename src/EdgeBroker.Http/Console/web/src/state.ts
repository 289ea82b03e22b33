// What every page needs of the broker: its overview, kept current by the stream, or by asking where that does not come.
import { signal, untracked } from '@preact/signals';
import { ask, loginEnded, me, NoAnswer, Problem, read } from './lib/api';
import { hear, streamState } from './lib/stream';
import { Course } from './lib/course';
import type { Overview } from './lib/types';

interface Known {
  data: Overview | null;
  at: number;
  problem: Problem | null;
}

export const overview = signal<Known>({ data: null, at: 0, problem: null });

/** Set when the broker turns out to have started since the last answer. */
export const restarted = signal<{ at: string; wasUpSeconds: number } | null>(null);

/** True when the page that the broker serves is another than this one. */
export const newerConsole = signal(false);

/** What the overview said since this page is open: the charts where the broker keeps no course of its own. */
export const course = new Course();

const EVERY_MS = 2000;

function take(data: Overview): void {
  const before = overview.value;
  const was = before.data?.started_at;
  if (was && data.started_at && Date.parse(data.started_at) - Date.parse(was) > 1500) {
    course.clear();
    restarted.value = { at: data.started_at, wasUpSeconds: (before.at - Date.parse(was)) / 1000 };
    void lookForNewer();
  }
  course.add(data, Date.now());
  overview.value = { data, at: Date.now(), problem: null };
}

async function lookForNewer(): Promise<void> {
  try {
    const page = await (await fetch('/', { cache: 'no-store' })).text();
    const mine = document.querySelector('script[src]')?.getAttribute('src');
    if (mine && page.includes('id="console"') && !page.includes(mine)) newerConsole.value = true;
  } catch {
    // It is asked again after the next start.
  }
}

/** Who is logged in, if anybody. */
export async function findLogin(): Promise<void> {
  try {
    me.value = (await ask<typeof me.value>('me')).body ?? null;
  } catch (error) {
    if (error instanceof Problem) me.value = null;
    else {
      setTimeout(() => void findLogin(), 2000);
      if (!(error instanceof NoAnswer)) throw error;
    }
  }
}

export function startState(): void {
  let stop: (() => void) | null = null;
  let timer: number | undefined;
  const poll = async () => {
    clearTimeout(timer);
    if (!me.value) return;
    const fresh = streamState.value === 'live' && Date.now() - overview.value.at < EVERY_MS;
    if (!document.hidden && !loginEnded.value && !fresh) {
      try {
        take(await read<Overview>('overview'));
      } catch (error) {
        if (error instanceof Problem) overview.value = { ...overview.value, problem: error };
        else if (!(error instanceof NoAnswer)) throw error;
      }
    }
    timer = window.setTimeout(() => void poll(), silent() ? 2000 : EVERY_MS);
  };
  const silent = () => overview.value.at > 0 && Date.now() - overview.value.at > EVERY_MS;
  // Of who is logged in alone: what is asked below reads much else.
  me.subscribe(user => untracked(() => {
    stop?.();
    stop = null;
    if (user) {
      stop = hear('overview', data => take(data as Overview));
      void poll();
    } else clearTimeout(timer);
  }));
}
