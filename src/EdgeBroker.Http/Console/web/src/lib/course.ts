// What the overview said, second by second: the last five minutes, for charts.
import type { Overview } from './types';

const KEPT = 300;

export const SERIES = ['in', 'out', 'clients', 'drops', 'stored', 'memory', 'store'] as const;
export type SeriesName = (typeof SERIES)[number];

export class Course {
  times: number[] = [];
  values: Record<SeriesName, (number | null)[]> = { in: [], out: [], clients: [], drops: [], stored: [], memory: [], store: [] };

  add(data: Overview, atMs: number): void {
    const at = atMs / 1000;
    const last = this.times.at(-1);
    // More than one answer a second draws nothing more; a gap is one, and no line across it.
    if (last !== undefined && at - last < 0.9) return;
    if (last !== undefined && at - last > 30) this.push(last + 1, () => null);
    const now: Record<SeriesName, number | null | undefined> = {
      in: data.in_per_second, out: data.out_per_second, clients: data.connected_count, drops: data.dropped_per_second, stored: data.stored_messages_count,
      memory: data.memory_used_bytes, store: data.store_bytes,
    };
    this.push(at, name => now[name] ?? null);
  }

  clear(): void {
    this.times = [];
    for (const name of SERIES) this.values[name] = [];
  }

  private push(at: number, value: (name: SeriesName) => number | null): void {
    // New lists: who draws them sees that they changed.
    this.times = [...this.times, at].slice(-KEPT);
    for (const name of SERIES) this.values[name] = [...this.values[name], value(name)].slice(-KEPT);
  }
}
