// What waits, for whom, and until when there is room.
import { bytes, count, duration, measure, visible } from '../lib/format';
import { adjust, parameter } from '../lib/navigate';
import { link } from '../lib/route';
import { useResource } from '../lib/resource';
import type { Page, QueueRow, SessionRow } from '../lib/types';
import { Empty, Foreign, Heading, View } from '../ui/basics';
import { sorted, Table } from '../ui/table';

/** Growing ones first, then those that are full soonest, then those whose oldest message is oldest. */
export function byUrgency(rows: readonly QueueRow[]): QueueRow[] {
  return [...rows].sort((a, b) =>
    (b.growth_per_minute ?? 0) - (a.growth_per_minute ?? 0)
    || (a.full_in_seconds ?? Infinity) - (b.full_in_seconds ?? Infinity) || 0
    || (b.oldest_seconds ?? 0) - (a.oldest_seconds ?? 0)
    || b.messages - a.messages);
}

/** The queue of a session, where the broker lists queues with their sessions only. */
function queueOf(row: SessionRow): QueueRow {
  return { kind: 'session', name: row.client_id, messages: row.queue_messages ?? 0, bytes: row.queue_bytes, oldest_seconds: row.queue_oldest_seconds };
}

export function Queues() {
  const all = useResource<Page<QueueRow>>('queues?limit=1000', 5000);
  const none = all.problem?.kind === 'no-such-endpoint';
  const sessions = useResource<Page<SessionRow>>(none ? 'sessions?queue_messages_min=1&sort=-queue_messages&limit=1000' : null, 5000);
  const queues = none ? { ...sessions, data: sessions.data && { page: sessions.data.page, items: sessions.data.items.map(queueOf) } } : all;
  const sort = parameter('sort');
  return (
    <>
      <Heading title="Queues" />
      <View of={queues}>{data => data.items.length === 0
        ? <Empty><p>Nothing waits anywhere: every message went out as it came.</p></Empty>
        : (
          <Table
            label="Queues" rows={sort ? sorted(data.items, sort) : byUrgency(data.items)} id={row => `${row.kind} ${row.name}`} total={data.page?.total_count ?? data.items.length}
            href={row => (row.kind === 'bridge' ? link(['bridges']) : row.kind === 'session' ? link(['clients', row.name], { tab: 'queue' }) : link(['queues']))}
            sort={sort} onSort={value => adjust({ sort: value })}
            columns={[
              { name: 'Name', sort: 'name', card: 'title', wide: true, cell: row => <Foreign text={row.name} longest={50} /> },
              { name: 'Kind', sort: 'kind', cell: row => visible(row.kind) },
              { name: 'Waiting', sort: 'messages', number: true, cell: row => count(row.messages) },
              { name: 'Size', sort: 'bytes', number: true, cell: row => bytes(row.bytes) },
              { name: 'Oldest', sort: 'oldest_seconds', number: true, cell: row => duration(row.oldest_seconds) },
              { name: 'Growth', sort: 'growth_per_minute', number: true, cell: row => (row.growth_per_minute == null ? '–' : `${row.growth_per_minute > 0 ? '+' : ''}${measure(row.growth_per_minute)}/min`) },
              { name: 'Full', sort: 'full_percent', number: true, cell: row => (row.full_percent == null ? '–' : `${measure(row.full_percent)} %`) },
              { name: 'Full in', sort: 'full_in_seconds', number: true, cell: row => duration(row.full_in_seconds) },
              { name: 'When full', cell: row => (row.on_full ? visible(row.on_full.replaceAll('-', ' ')) : '–') },
            ]}
          />
        )}
      </View>
    </>
  );
}
