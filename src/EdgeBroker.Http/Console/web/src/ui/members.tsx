// Shows an answer whose members the page does not name one by one: each with a value fit for its name.
import type { ComponentChildren } from 'preact';
import { bytes, count, duration, measure, UNKNOWN, visible } from '../lib/format';
import { Clock, Foreign } from './basics';
import { Table } from './table';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** The name of a member as a heading: queue_bytes -> Queue. */
export function heading(name: string): string {
  const words = visible(name).replace(/_(bytes|count|total|at|seconds|ms)$/, '').replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A value in the unit that the member's name says. */
export function value(name: string, of: Json | undefined): ComponentChildren {
  if (of === null || of === undefined) return UNKNOWN;
  if (typeof of === 'boolean') return of ? 'yes' : 'no';
  if (typeof of === 'number') {
    if (name === 'bytes' || name.endsWith('_bytes')) return bytes(of);
    if (name.endsWith('_seconds')) return duration(of);
    if (name.endsWith('_ms')) return `${measure(of)} ms`;
    if (name.endsWith('_percent')) return `${measure(of)} %`;
    if (name.endsWith('_per_second')) return `${measure(of)}/s`;
    return Number.isInteger(of) ? count(of) : measure(of);
  }
  if (typeof of === 'string') return name.endsWith('_at') ? <Clock at={of} /> : <Foreign text={of} longest={160} />;
  if (Array.isArray(of)) {
    return of.length === 0 ? 'none' : of.every(one => typeof one !== 'object') ? <Foreign text={of.join(', ')} longest={200} /> : <Rows rows={of as { [name: string]: Json }[]} label={heading(name)} />;
  }
  // The unit stands once, for all of them.
  const unit = /_(bytes|seconds|ms)$/.exec(name)?.[0] ?? '';
  const entries = Object.entries(of);
  if (entries.length === 0) return 'none';
  return <Members of={Object.fromEntries(entries.map(([key, one]) => [key + unit, one]))} />;
}

export function Members({ of }: { of: { [name: string]: Json } }) {
  return <dl class="facts">{Object.entries(of).map(([name, one]) => <div key={name}><dt>{heading(name)}</dt><dd>{value(name, one)}</dd></div>)}</dl>;
}

/** Several numbers in one cell: those that are something. */
function inCell(name: string, of: Json | undefined): ComponentChildren {
  if (of === null || of === undefined || typeof of !== 'object' || Array.isArray(of)) return value(name, of);
  return Object.entries(of).filter(([, one]) => one !== 0).map(([key, one]) => `${visible(key)} ${visible(String(one))}`).join(', ') || UNKNOWN;
}

const isNumber = (one: Json | undefined) => typeof one === 'number';

/** Rows of like members as a table, in the order in which the first has them. */
export function Rows({ rows, label }: { rows: readonly { [name: string]: Json }[]; label: string }) {
  const names = [...new Set(rows.flatMap(row => Object.keys(row)))];
  return (
    <Table
      label={label} rows={rows} id={row => names.slice(0, 3).map(name => String(row[name])).join(' ') + rows.indexOf(row)}
      columns={names.map((name, i) => ({
        name: heading(name),
        number: rows.some(row => isNumber(row[name])),
        card: i === 0 ? 'title' as const : undefined,
        cell: (row: { [name: string]: Json }) => inCell(name, row[name]),
      }))}
    />
  );
}
