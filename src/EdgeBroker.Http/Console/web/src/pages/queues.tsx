// What waits, for whom, and until when there is room.
import { bytes, count, duration, measure, UNKNOWN, visible } from '../lib/format';
import { adjust, parameter } from '../lib/navigate';
import { link } from '../lib/route';
import { useResource } from '../lib/resource';
import { itemsOf, type Page, type QueueRow } from '../lib/types';
import { Empty, Foreign, Heading, View } from '../ui/basics';
import { type Column, sorted, Table } from '../ui/table';

/** Growing ones first, then those that are full soonest, then those whose oldest message is oldest. */
export function byUrgency(rows: readonly QueueRow[]): QueueRow[] {
  return [...rows].sort((a, b) =>
    (b.growth_per_minute ?? 0) - (a.growth_per_minute ?? 0)
    || (a.full_in_seconds ?? Infinity) - (b.full_in_seconds ?? Infinity) || 0
    || (b.oldest_seconds ?? 0) - (a.oldest_seconds ?? 0)
    || b.messages - a.messages);
}

export function Queues() {
  const queues = useResource<QueueRow[] | Page<QueueRow>>('queues?limit=1000', 5000);
  const sort = parameter('sort');
  return (
    <>
      <Heading title="Queues" />
      <View of={queues}>{data => {
        const rows = itemsOf(data);
        if (rows.length === 0) return <Empty><p>Nothing waits anywhere: every message went out as it came.</p></Empty>;
        const knows = (name: keyof QueueRow) => rows.some(row => row[name] != null);
        const optional: [keyof QueueRow, Column<QueueRow>][] = [
          ['growth_per_minute', { name: 'Growth', sort: 'growth_per_minute', number: true, cell: row => (row.growth_per_minute == null ? UNKNOWN : `${row.growth_per_minute > 0 ? '+' : ''}${measure(row.growth_per_minute)}/min`) }],
          ['full_percent', { name: 'Full', sort: 'full_percent', number: true, cell: row => (row.full_percent == null ? UNKNOWN : `${measure(row.full_percent)} %`) }],
          ['full_in_seconds', { name: 'Full in', sort: 'full_in_seconds', number: true, cell: row => duration(row.full_in_seconds) }],
          ['on_full', { name: 'When full', cell: row => (row.on_full ? visible(row.on_full.replaceAll('-', ' ')) : UNKNOWN) }],
          ['dropped_total', { name: 'Dropped', sort: 'dropped_total', number: true, cell: row => count(row.dropped_total) }],
        ];
        return (
          <Table
            label="Queues" rows={sort ? sorted(rows, sort) : byUrgency(rows)} id={row => `${row.kind} ${row.name}`}
            href={row => (row.kind === 'bridge' ? link(['bridges']) : row.kind === 'session' ? link(['clients', row.name], { tab: 'queue' }) : link(['queues']))}
            sort={sort} onSort={value => adjust({ sort: value })}
            columns={[
              { name: 'Name', sort: 'name', card: 'title', wide: true, cell: row => <Foreign text={row.name} longest={50} /> },
              { name: 'Kind', sort: 'kind', cell: row => visible(row.kind) },
              { name: 'Waiting', sort: 'messages', number: true, cell: row => count(row.messages) },
              { name: 'Size', sort: 'bytes', number: true, cell: row => bytes(row.bytes) },
              { name: 'Oldest', sort: 'oldest_seconds', number: true, cell: row => duration(row.oldest_seconds) },
              ...optional.filter(([name]) => knows(name)).map(([, column]) => column),
            ]}
          />
        );
      }}
      </View>
    </>
  );
}
