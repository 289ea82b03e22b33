// One client: who it is, what it wants, what waits for it, and how it came and went.
import { useState } from 'preact/hooks';
import { ask, may, Problem } from '../lib/api';
import { announce } from '../lib/announce';
import { encode, resource, travelsInPath, queryText } from '../lib/address';
import { bytes, count, duration, plural, rate, UNKNOWN, visible } from '../lib/format';
import { go, parameter } from '../lib/navigate';
import { link } from '../lib/route';
import { useResource } from '../lib/resource';
import type { HistoryEntry, Page, Refusal, SessionDetail, SubscriptionRow, Waiting } from '../lib/types';
import { Ago, Clock, Copy, Empty, Facts, Failure, Foreign, Heading, Panel, Skeleton, Status, Tabs, View } from '../ui/basics';
import { Ask, type Question } from '../ui/dialog';
import { Table } from '../ui/table';
import { kickQuestion, via } from './clients';
import { RefusalTable } from './access';

const TABS = [['now', 'Now'], ['subscriptions', 'Subscriptions'], ['queue', 'Queue'], ['history', 'History'], ['limits', 'Limits']] as const;

/** Who ended a connection and why, in words. */
export function happening(entry: HistoryEntry): string {
  const who: Record<string, string> = { client: 'the client', broker: 'the broker', network: 'the network' };
  const why = entry.explanation ?? entry.detail;
  if (entry.kind === 'disconnected') return `ended by ${who[entry.by ?? ''] ?? entry.by ?? 'somebody'}${why ? `: ${visible(why)}` : ''}`;
  return `${visible(entry.kind)}${why ? `: ${visible(why)}` : ''}`;
}

export function Client({ id }: { id: string }) {
  const tab = TABS.some(([key]) => key === parameter('tab')) ? parameter('tab') : 'now';
  const answer = useResource<SessionDetail | Page<SessionDetail>>(resource('sessions', id), 2000);
  const session = { ...answer, data: answer.data && 'items' in answer.data ? answer.data.items[0] : answer.data };
  const [question, setQuestion] = useState<Question | null>(null);
  const data = session.data;
  const forget = () => setQuestion(forgetQuestion(data!, () => go(['clients'])));
  return (
    <>
      <p class="crumbs"><a href={link(['clients'])}>Clients</a></p>
      <Heading title={<Foreign text={id} longest={80} />}>
        <Copy text={id} what="client id" />
        {data && <Status tone={data.state === 'connected' ? 'good' : 'quiet'}>{data.state === 'connected' ? 'connected' : 'away'}</Status>}
        <span class="grow" />
        {data?.state === 'connected' && may('operator') && <button type="button" class="danger" onClick={() => setQuestion(kickQuestion(data, session.etag, session.reload))}>Kick</button>}
        {data && may('admin') && <button type="button" onClick={forget}>Forget…</button>}
      </Heading>
      {(session.problem?.status === 404 && session.problem.kind !== 'no-such-endpoint') || (answer.data && !data) ? <Unknown id={id} /> : (
        <View of={session} everyMs={2000}>{detail => (
          <>
            <Tabs label="About this client" current={tab} items={TABS.map(([key, name]) => ({ id: key, name, href: link(['clients', id], { tab: key === 'now' ? null : key }) }))} />
            {tab === 'now' && <Now detail={detail} />}
            {tab === 'subscriptions' && <Subscriptions id={id} detail={detail} />}
            {tab === 'queue' && <Queue id={id} detail={detail} ask={setQuestion} />}
            {tab === 'history' && <History entries={detail.history ?? []} />}
            {tab === 'limits' && <Limits detail={detail} />}
          </>
        )}</View>
      )}
      {question && <Ask question={question} onClose={() => setQuestion(null)} />}
    </>
  );
}

function forgetQuestion(detail: SessionDetail, done: () => void): Question {
  const waiting = detail.queue_messages ?? 0;
  const parts = [
    plural(detail.subscriptions_count ?? 0, 'subscription'),
    waiting > 0 ? plural(waiting, 'waiting message') : '',
    detail.will ? 'a will, which is not sent' : '',
  ].filter(Boolean);
  return {
    title: 'Forget this session',
    text: <p><Foreign text={detail.client_id} longest={120} /> is disconnected, and what the broker keeps of it goes: {parts.join(', ')}.</p>,
    action: 'Forget',
    danger: true,
    typed: waiting > 0 ? detail.client_id : undefined,
    typedLabel: 'Type the client id',
    run: async () => {
      await ask(resource('sessions', detail.client_id, { forget: true }), { method: 'DELETE' });
      announce('The session is gone');
      done();
    },
  };
}

function Now({ detail }: { detail: SessionDetail }) {
  const away = detail.history?.find(entry => entry.kind === 'disconnected');
  // What waits does so behind what was sent and not acknowledged.
  const full = (detail.inflight_count ?? 0) > 0 && (detail.receive_maximum != null ? detail.inflight_count! >= detail.receive_maximum : (detail.queue_messages ?? 0) > 0);
  const tls = detail.tls;
  return (
    <div class="columns two">
      {detail.state !== 'connected' && <p class="sentence">Not connected{away && <> – last seen <Ago at={away.at} />{away.address && <> from <Foreign text={away.address} /></>}, {happening(away)}</>}.</p>}
      {full && <p class="sentence warn">Inflight {count(detail.inflight_count)}{detail.receive_maximum != null && ` of ${count(detail.receive_maximum)}`}: it does not acknowledge.</p>}
      <Panel title="Who">
        <Facts rows={[
          ['User', <Foreign text={detail.user} />],
          ['Address', <><Foreign text={detail.address} />{detail.address && <Copy text={detail.address} what="address" />}</>],
          ['Listener', <Foreign text={detail.listener} />],
          ['Protocol', via(detail)],
          ...(tls ? [
            ['TLS', [tls.version, tls.cipher].filter(Boolean).map(part => visible(part!)).join(', ')] as const,
            ['Certificate', tls.subject ? <><Foreign text={tls.subject} />{tls.certificate_ends_at && <>, ends <Clock at={tls.certificate_ends_at} /></>}</> : 'none'] as const,
          ] : []),
          ...(detail.identity ?? tls?.identity ? [['Identity', <Foreign text={detail.identity ?? tls?.identity} />] as const] : []),
          ['Connected', <Ago at={detail.connected_at} />],
          ['Last packet', <Ago at={detail.last_packet_at} />],
          ['Keep alive', detail.keep_alive_seconds === 0 ? 'off' : duration(detail.keep_alive_seconds)],
          ['Session ends', sessionEnd(detail)],
          ['Will', detail.will ? <><Foreign text={detail.will.topic} longest={60} />, QoS {detail.will.qos}{detail.will.retain && ', retained'}{(detail.will.delay_seconds ?? 0) > 0 && `, after ${duration(detail.will.delay_seconds)}`}</> : 'none'],
        ]} />
      </Panel>
      <Panel title="Traffic">
        <Facts rows={[
          ['In', rate(detail.in_per_second)],
          ['Out', rate(detail.out_per_second)],
          ['Subscriptions', count(detail.subscriptions_count)],
          ['Inflight', detail.receive_maximum != null ? `${count(detail.inflight_count)} of ${count(detail.receive_maximum)}` : count(detail.inflight_count)],
          ['Waiting', `${count(detail.queue_messages)}${detail.queue_bytes != null ? `, ${bytes(detail.queue_bytes)}` : ''}`],
          ['Dropped', count(detail.dropped_total)],
          ...Object.entries(detail.drops ?? {}).filter(([, value]) => value > 0).map(([cause, value]) => [`… ${visible(cause.replaceAll('-', ' '))}`, count(value)] as const),
          ...Object.entries({ ...detail.traffic, ...detail.counters }).map(([key, value]) => [counterName(key), key.includes('bytes') ? bytes(value) : count(value)] as const),
        ]} />
      </Panel>
    </div>
  );
}

/** messages_in_total -> Messages in. */
export function counterName(key: string): string {
  const words = visible(key.replace(/_total$/, '').replace(/_count$/, '').replaceAll('_', ' '));
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const FOR_EVER = 0xffff_ffff;

function sessionEnd(detail: SessionDetail) {
  if (detail.session_expires_at) return <Ago at={detail.session_expires_at} />;
  if (detail.ends_in_seconds != null) return `in ${duration(detail.ends_in_seconds)}`;
  if (detail.expiry_seconds == null) return UNKNOWN;
  return detail.expiry_seconds === 0 ? 'when it leaves' : detail.expiry_seconds === FOR_EVER ? 'never' : `${duration(detail.expiry_seconds)} after it leaves`;
}

function Subscriptions({ id, detail }: { id: string; detail: SessionDetail }) {
  const [question, setQuestion] = useState<Question | null>(null);
  const path = travelsInPath(id) ? `sessions/${encode(id)}/subscriptions` : null;
  const list = useResource<Page<SubscriptionRow>>(path, 5000);
  const rows = list.data?.items ?? detail.subscriptions ?? [];
  const drop = (row: SubscriptionRow) => setQuestion({
    title: 'End this subscription',
    text: <p><Foreign text={id} longest={80} /> hears no more of <Foreign text={row.filter} longest={120} />, and is not told.</p>,
    action: 'End it',
    danger: true,
    run: async () => {
      await ask(`sessions/${encode(id)}/subscriptions${queryText({ filter: row.share ? `$share/${row.share}/${row.filter}` : row.filter })}`, { method: 'DELETE' });
      announce('The subscription has ended');
      list.reload();
    },
  });
  if (path && !list.data && !list.problem) return <Skeleton />;
  if (list.problem && list.problem.kind !== 'no-such-endpoint') return <Failure problem={list.problem} retry={list.reload} />;
  if (rows.length === 0) return <Empty><p>It is subscribed to nothing.</p></Empty>;
  return (
    <>
      <Table
        label="Subscriptions" rows={rows} id={row => `${row.share ?? ''} ${row.filter}`}
        columns={[
          { name: 'Filter', card: 'title', wide: true, cell: row => <><Foreign text={row.filter} longest={90} /><Copy text={row.filter} what="filter" /></> },
          { name: 'QoS', number: true, cell: row => row.qos },
          { name: 'Shared as', cell: row => (row.share ? <Foreign text={row.share} /> : UNKNOWN) },
          { name: 'Own messages', cell: row => (row.no_local ? 'no' : 'yes') },
          { name: 'Since', cell: row => <Ago at={row.since_at} /> },
          ...(may('operator') && path ? [{ name: 'Actions', hidden: true, cell: (row: SubscriptionRow) => <button type="button" class="small" onClick={() => drop(row)}>End</button> }] : []),
        ]}
      />
      {question && <Ask question={question} onClose={() => setQuestion(null)} />}
    </>
  );
}

function Queue({ id, detail, ask: put }: { id: string; detail: SessionDetail; ask: (question: Question) => void }) {
  const list = useResource<Page<Waiting>>(may('operator') && travelsInPath(id) ? `sessions/${encode(id)}/queue` : null, 5000);
  const purge = () => put({
    title: 'Throw the queue away',
    text: <p>{plural(detail.queue_messages ?? 0, 'message')} for <Foreign text={id} longest={80} /> will never reach it.</p>,
    action: 'Throw away',
    danger: true,
    typed: String(detail.queue_messages ?? 0),
    typedLabel: 'Type how many messages that are',
    run: async () => {
      await ask(`sessions/${encode(id)}/queue`, { method: 'DELETE', query: { expect_count: String(detail.queue_messages ?? 0) } });
      announce('The queue is empty');
      list.reload();
    },
  });
  return (
    <>
      <p class="sentence">{plural(detail.queue_messages ?? 0, 'message')}{detail.queue_bytes != null && `, ${bytes(detail.queue_bytes)}`}; inflight {count(detail.inflight_count)}{detail.queue_oldest_seconds != null && `; the oldest has waited ${duration(detail.queue_oldest_seconds)}`}
        {detail.queue_limits?.max_messages != null && `; at most ${count(detail.queue_limits.max_messages)}, then ${visible((detail.queue_limits.overflow ?? '').replaceAll('_', ' ').replaceAll('-', ' '))}`}.
        {may('admin') && (detail.queue_messages ?? 0) > 0 && <> <button type="button" class="small" onClick={purge}>Throw away…</button></>}</p>
      {!may('operator') ? <Empty><p>Operators see what waits.</p></Empty> : list.problem ? <Failure problem={list.problem} retry={list.reload} />
        : !list.data ? <Skeleton /> : list.data.items.length === 0 ? <Empty><p>Nothing waits for it.</p></Empty> : (
          <Table
            label="Waiting messages" rows={list.data.items} id={row => String(row.position)}
            columns={[
              { name: 'Position', number: true, cell: row => count(row.position) },
              { name: 'Topic', card: 'title', wide: true, cell: row => (row.topic == null ? 'on disk' : <Foreign text={row.topic} longest={90} />) },
              { name: 'QoS', number: true, cell: row => row.qos },
              { name: 'Size', number: true, cell: row => bytes(row.payload_bytes ?? row.size_bytes) },
              { name: 'Queued', cell: row => <Ago at={row.queued_at} /> },
              { name: 'Expires', cell: row => <Ago at={row.expires_at} /> },
            ]}
          />)}
    </>
  );
}

export function History({ entries, withClient }: { entries: readonly HistoryEntry[]; withClient?: boolean }) {
  if (entries.length === 0) return <Empty><p>Nothing is remembered of its comings and goings.</p></Empty>;
  return (
    <Table
      label="History" rows={entries} id={row => `${row.at} ${row.kind} ${row.client_id ?? ''}`}
      columns={[
        { name: 'When', cell: row => <Clock at={row.at} /> },
        ...(withClient ? [{ name: 'Client', cell: (row: HistoryEntry) => (row.client_id ? <a href={link(['clients', row.client_id])}><Foreign text={row.client_id} longest={30} /></a> : UNKNOWN) }] : []),
        { name: 'What', card: 'title', wide: true, cell: row => happening(row) },
        { name: 'From', cell: row => <Foreign text={row.address} /> },
      ]}
    />
  );
}

function Limits({ detail }: { detail: SessionDetail }) {
  const rows = detail.limits ?? [];
  if (rows.length === 0) return <Empty><p>It has met no limit.</p></Empty>;
  return (
    <Table
      label="Limits it met" rows={rows} id={row => row.key}
      columns={[
        { name: 'Limit', card: 'title', cell: row => <code>{visible(row.key)}</code> },
        { name: 'Times it had to wait', number: true, cell: row => count(row.delayed_total) },
      ]}
    />
  );
}

/** No session of this name: perhaps it tried and was refused. */
function Unknown({ id }: { id: string }) {
  const refusals = useResource<Page<Refusal>>(`refusals${queryText({ client_id: id })}`, 5000);
  const events = useResource<Page<HistoryEntry>>(`events${queryText({ client_id: id })}`, 5000);
  const refused = refusals.data?.items ?? [];
  const history = events.data?.items ?? [];
  const unread = [refusals.problem, events.problem].find((problem): problem is Problem => problem !== null && problem.kind !== 'no-such-endpoint');
  return (
    <>
      <Empty><p>The broker keeps no session of this name{history.length === 0 && refused.length === 0 ? ', and remembers nothing of it' : ''}.</p></Empty>
      {refused.length > 0 && <Panel title="Refused"><RefusalTable rows={refused} /></Panel>}
      {history.length > 0 && <Panel title="History"><History entries={history} /></Panel>}
      {unread && <Failure problem={unread} />}
    </>
  );
}
