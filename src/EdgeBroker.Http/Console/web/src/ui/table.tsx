// Tables: real ones on a wide screen, cards on a narrow one, the same elements in both.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

export interface Column<T> {
  name: string;
  cell: (row: T) => ComponentChildren;
  /** Numbers stand at the right, under each other. */
  number?: boolean;
  /** What the list is sorted by when its heading is pressed; with a minus in front it is sorted that way only. */
  sort?: string;
  /** The heading is for readers only. */
  hidden?: boolean;
  /** On a narrow screen: the card's title, or left out. */
  card?: 'title' | 'omit';
  wide?: boolean;
}

interface Props<T> {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  id: (row: T) => string;
  href?: (row: T) => string;
  sort?: string;
  onSort?: (sort: string) => void;
  total?: number;
  onHold?: (held: boolean) => void;
}

const ROW_PX = 37;
const AROUND = 15;
/** From here on only the rows in view are in the page. */
const VIRTUAL_FROM = 120;

export function Table<T>({ label, columns, rows, id, href, sort, onSort, total, onHold }: Props<T>) {
  const body = useRef<HTMLTableSectionElement>(null);
  const [range, setRange] = useState<readonly [number, number]>([0, VIRTUAL_FROM]);
  const virtual = rows.length > VIRTUAL_FROM;
  useEffect(() => {
    if (!virtual) return;
    const measure = () => {
      const box = body.current?.getBoundingClientRect();
      if (!box) return;
      const height = box.height / rows.length || ROW_PX;
      const first = Math.max(0, Math.floor(-box.top / height) - AROUND);
      const last = Math.min(rows.length, Math.ceil((innerHeight - box.top) / height) + AROUND);
      setRange(before => (before[0] === first && before[1] === last ? before : [first, Math.max(last, first)]));
    };
    measure();
    addEventListener('scroll', measure, { passive: true });
    addEventListener('resize', measure);
    return () => {
      removeEventListener('scroll', measure);
      removeEventListener('resize', measure);
    };
  }, [virtual, rows.length]);
  const [first, last] = virtual ? range : [0, rows.length];
  const shown = rows.slice(first, last);

  const move = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    const row = target.closest('tr');
    if (!row || target.closest('input, select, textarea')) return;
    const step = event.key === 'ArrowDown' ? 'nextElementSibling' : event.key === 'ArrowUp' ? 'previousElementSibling' : null;
    if (!step) return;
    const next = row[step]?.querySelector<HTMLElement>('a.row, a, button');
    if (next) {
      event.preventDefault();
      next.focus();
    }
  };
  const hold = (held: boolean) => () => onHold?.(held);
  return (
    <div class="scroll" onPointerEnter={hold(true)} onPointerLeave={hold(false)} onFocusIn={hold(true)} onFocusOut={hold(false)}>
      <table role="table" aria-label={label} aria-rowcount={total ?? rows.length} onKeyDown={move}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(column => (
              <th
                key={column.name} role="columnheader" scope="col" class={column.number ? 'number' : ''}
                aria-sort={column.sort && sort?.replace(/^-/, '') === column.sort.replace(/^-/, '') ? (sort.startsWith('-') ? 'descending' : 'ascending') : undefined}
              >
                {column.sort && onSort
                  ? <button type="button" class="sort" onClick={() => onSort(next(column, sort))}>{column.name}</button>
                  : <span class={column.hidden ? 'offscreen' : ''}>{column.name}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup" ref={body}>
          {first > 0 && <tr class="gap" aria-hidden="true" style={{ height: `${first * ROW_PX}px` }} />}
          {shown.map((row, i) => (
            <tr role="row" key={id(row)} aria-rowindex={first + i + 2}>
              {columns.map((column, at) => (
                <td
                  key={column.name} role="cell" data-label={column.hidden ? undefined : column.name}
                  class={[column.number && 'number', column.card, column.wide && 'wide'].filter(Boolean).join(' ')}
                >
                  {at === 0 && href ? <a class="row" href={href(row)}>{column.cell(row)}</a> : column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
          {last < rows.length && <tr class="gap" aria-hidden="true" style={{ height: `${(rows.length - last) * ROW_PX}px` }} />}
        </tbody>
      </table>
    </div>
  );
}

function next<T>(column: Column<T>, sort: string | undefined): string {
  const name = column.sort!;
  if (name.startsWith('-')) return sort === name ? '' : name;
  const downFirst = column.number === true;
  if (sort === name) return `-${name}`;
  if (sort === `-${name}`) return name;
  return downFirst ? `-${name}` : name;
}

/** Sorts rows that are all here by what a heading names; what is not known goes last. */
export function sorted<T>(rows: readonly T[], sort: string): T[] {
  const down = sort.startsWith('-');
  const name = sort.replace(/^-/, '') as keyof T;
  return [...rows].sort((a, b) => {
    const [x, y] = [a[name], b[name]];
    if (x == null || y == null) return x == null ? (y == null ? 0 : 1) : -1;
    const order = typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y));
    return down ? -order : order;
  });
}
