// A chart of uPlot with the cursor in common, its numbers in words, and the same as a table.
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { clock } from '../lib/format';
import { theme, utc } from '../lib/preferences';

export interface Series {
  name: string;
  values: readonly (number | null)[];
}

interface Props {
  title: string;
  times: readonly number[];
  series: readonly Series[];
  format: (value: number | null | undefined) => string;
  /** Sizes: marks stand at powers of two. */
  binary?: boolean;
}

const HEIGHT = 120;
const DASHES: readonly (readonly number[])[] = [[], [6, 4], [2, 3], [10, 3, 2, 3]];

const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const POWERS = Array.from({ length: 50 }, (_, i) => 2 ** i);

/** Marks of time without seconds where all stand at whole minutes. */
function timeMarks(marks: readonly number[], inUtc: boolean): string[] {
  const whole = marks.every(mark => mark % 60 === 0);
  return marks.map(mark => clock(mark * 1000, mark * 1000, inUtc).slice(0, whole ? 5 : 8));
}

/** The least, mean and greatest of what is known. */
export function summary(values: readonly (number | null)[]): { least: number; mean: number; most: number } | null {
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  if (known.length === 0) return null;
  return {
    least: known.reduce((a, b) => Math.min(a, b)),
    mean: known.reduce((a, b) => a + b, 0) / known.length,
    most: known.reduce((a, b) => Math.max(a, b)),
  };
}

export function Chart({ title, times, series, format, binary }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [asTable, setAsTable] = useState(false);
  const data = [times, ...series.map(one => one.values)] as unknown as uPlot.AlignedData;
  const names = series.map(one => one.name).join('\n');
  useEffect(() => {
    if (asTable || !box.current) return;
    const place = box.current;
    const make = () => {
      const muted = colour('--muted');
      const line = colour('--line');
      plot.current?.destroy();
      plot.current = new uPlot({
        width: Math.max(120, place.clientWidth),
        height: HEIGHT,
        padding: [8, 16, 0, 0],
        legend: { show: false },
        cursor: { sync: { key: 'edgebroker' }, drag: { x: false, y: false }, points: { size: 6 } },
        scales: { y: { range: (_, least, most) => [Math.min(0, least ?? 0), most && most > 0 ? most * 1.1 : 1] } },
        axes: [
          { stroke: muted, grid: { show: false }, ticks: { show: false }, size: 22, font: '11px system-ui', space: 48, values: (_, marks) => timeMarks(marks, utc.peek()) },
          { stroke: muted, grid: { stroke: line, width: 1 }, ticks: { show: false }, size: 62, font: '11px system-ui', space: 34, values: (_, marks) => marks.map(format), ...(binary ? { incrs: POWERS } : {}) },
        ],
        series: [
          {},
          ...names.split('\n').map((name, i) => ({
            label: name, stroke: colour(`--chart${i}`), width: 1.6, dash: [...(DASHES[i % DASHES.length] ?? [])], points: { show: false }, spanGaps: false,
          })),
        ],
      }, data, place);
    };
    make();
    const watcher = new ResizeObserver(() => plot.current?.setSize({ width: Math.max(120, place.clientWidth), height: HEIGHT }));
    watcher.observe(place);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', make);
    const forgets = [theme, utc].map(setting => setting.subscribe(() => queueMicrotask(() => plot.current && make())));
    return () => {
      watcher.disconnect();
      dark.removeEventListener('change', make);
      forgets.forEach(forget => forget());
      plot.current?.destroy();
      plot.current = null;
    };
  }, [asTable, names]);
  useEffect(() => {
    if (!document.hidden) plot.current?.setData(data);
  }, [times, series]);
  const parts = series.map(one => ({ name: one.name, last: one.values.at(-1), sum: summary(one.values) }));
  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        <ul>{parts.map((part, i) => (
          <li key={part.name}><svg viewBox="0 0 18 4" aria-hidden="true"><line x1="0" y1="2" x2="18" y2="2" class={`line${i}`} stroke-dasharray={DASHES[i % DASHES.length]?.join(' ')} /></svg>
            {part.name} <b>{format(part.last)}</b></li>))}
        </ul>
        <button type="button" class="link" aria-pressed={asTable} onClick={() => setAsTable(!asTable)} aria-label={`${title} as ${asTable ? 'chart' : 'table'}`}>
          {asTable ? 'as chart' : 'as table'}
        </button>
      </figcaption>
      {asTable ? (
        <table>
          <thead><tr><th scope="col">Series</th><th scope="col" class="number">Least</th><th scope="col" class="number">Mean</th><th scope="col" class="number">Most</th><th scope="col" class="number">Last</th></tr></thead>
          <tbody>{parts.map(part => (
            <tr key={part.name}><th scope="row">{part.name}</th><td class="number">{format(part.sum?.least)}</td><td class="number">{format(part.sum?.mean)}</td>
              <td class="number">{format(part.sum?.most)}</td><td class="number">{format(part.last)}</td></tr>))}
          </tbody>
        </table>
      ) : (
        <div ref={box} class="plot" role="img" aria-label={`${title}: ${parts.map(part => `${part.name} ${format(part.last)}, at most ${format(part.sum?.most)}`).join('; ')}`} />
      )}
    </figure>
  );
}
