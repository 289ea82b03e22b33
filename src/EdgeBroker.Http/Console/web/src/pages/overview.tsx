// The first thing seen: is it well, what flows, what grows.
import { useResource } from '../lib/resource';
import { now } from '../lib/clock';
import { bytes, count, duration, measure, plural, rate, secondsSince, visible } from '../lib/format';
import { adjust, parameter } from '../lib/navigate';
import { link } from '../lib/route';
import type { SeriesName } from '../lib/course';
import type { Finding, HistoryOfMetrics, Overview as Data } from '../lib/types';
import { course, overview } from '../state';
import { Ago, Empty, Failure, Foreign, Heading, Panel, Skeleton, Status } from '../ui/basics';
import { Chart } from '../ui/chart';
import { Table } from '../ui/table';

const SPANS = ['5m', '1h', '24h'];
const SPAN_NAMES: Record<string, string> = { '5m': '5 min', '1h': '1 h', '24h': '24 h' };

/** What the broker calls the series that the charts show, where it keeps their course. */
const NAMES: Record<SeriesName, string> = {
  in: 'in_per_second', out: 'out_per_second', clients: 'connected_count', drops: 'dropped_per_second', stored: 'stored_messages_count',
  memory: 'memory_used_bytes', store: 'store_bytes',
};

/** "All good." or what is not, in one sentence. */
export function verdict(data: Data, at: number): string {
  const problems = data.problems ?? [];
  if (problems.length === 0) return data.health.status === 'good' ? 'All good.' : `The broker says: ${data.health.status}.`;
  const failing = problems.filter(problem => problem.status === 'failing').length;
  const told = problems.slice(0, 2).map(problem => {
    const since = secondsSince(problem.since_at, at);
    return `${visible(problem.detail)}${since !== null && since >= 60 ? ` for ${duration(since)}` : ''}`;
  });
  const rest = problems.length - told.length;
  return `${failing > 0 ? plural(problems.length, 'problem') : plural(problems.length, 'warning')}: ${told.join('; ')}${rest > 0 ? `; ${rest} more` : ''}.`;
}

/** Why messages did not arrive, the most frequent cause first. */
function causes(data: Data): string {
  const told = Object.entries(data.drops_by_cause ?? {}).sort(([, a], [, b]) => b - a).slice(0, 3);
  return told.length === 0 ? '' : ` (${told.map(([cause, number]) => `${visible(cause.replaceAll('-', ' '))} ${count(number)}`).join(', ')})`;
}

/** The certificate that ends first. */
function firstEnd(data: Data): string[] {
  const first = data.certificates?.[0];
  if (!first) return ['none', 'nothing speaks TLS'];
  const name = visible(first.file?.split('/').at(-1) ?? first.name ?? '');
  if (first.days_left != null && first.days_left < 0) return ['ended', `${name} is not valid any more`];
  return [first.days_left == null ? '–' : plural(first.days_left, 'day'), `${name} ends first`];
}

/** How much goes on, in one sentence. */
function activity(data: Data): string {
  const parts = [
    data.connected_count != null ? plural(data.connected_count, 'client') : '',
    data.in_per_second != null ? `${measure(data.in_per_second)} msg/s in, ${measure(data.out_per_second)} out` : '',
    data.messages_dropped_total != null ? (data.messages_dropped_total === 0 ? 'nothing dropped' : `${count(data.messages_dropped_total)} dropped${causes(data)}`) : '',
  ].filter(Boolean);
  return parts.length > 0 ? `${parts.join(', ')}.` : '';
}

export function Problem({ finding }: { finding: Finding }) {
  return (
    <li class={`problem ${finding.status}`}>
      <Status tone={finding.status === 'failing' ? 'bad' : finding.status === 'warning' ? 'warn' : 'good'}>{visible(finding.part)}</Status>
      <div>
        <p><Foreign text={finding.detail} />{finding.since_at && <span class="quiet"> · since <Ago at={finding.since_at} /></span>}</p>
        {finding.cure && <p class="cure">What helps: <Foreign text={finding.cure} /></p>}
      </div>
    </li>
  );
}

function Numbers({ data }: { data: Data }) {
  const cells: [string, string, string, string][] = [
    ['Clients', count(data.connected_count), `${count(data.disconnected_count)} away`, link(['clients'])],
    ['Messages in', rate(data.in_per_second), `${rate(data.out_per_second)} out`, link(['topics'])],
    ['Stored messages', count(data.stored_messages_count), `${count(data.retained_count)} of them retained`, link(['queues'])],
    ['Store', bytes(data.store_bytes), data.store_bytes == null ? 'keeps nothing' : 'on disk', link(['system'], { tab: 'limits' })],
    ['Memory', bytes(data.memory_used_bytes), data.memory_limit_bytes ? `of ${bytes(data.memory_limit_bytes)}` : 'no limit', link(['system'], { tab: 'memory' })],
    ['Certificates', firstEnd(data)[0]!, firstEnd(data)[1]!, link(['system'], { tab: 'certificates' })],
    ['Refusals', count(data.refusals_count), 'kinds of them', link(['access'])],
  ];
  return (
    <ul class="numbers">
      {cells.map(([name, value, more, href]) => (
        <li key={name}><a href={href}><span class="name">{name}</span><span class="value">{value}</span><span class="quiet">{more}</span></a></li>
      ))}
    </ul>
  );
}

function Charts() {
  const span = SPANS.includes(parameter('span')) ? parameter('span') : '5m';
  const history = useResource<HistoryOfMetrics>(`metrics/history?span=${span}`, span === '5m' ? 2000 : 10_000);
  const kept = history.problem?.kind !== 'no-such-endpoint';
  const spans = kept && (
    <div class="segmented" role="group" aria-label="Time span">
      {SPANS.map(value => <button key={value} type="button" aria-pressed={value === span} onClick={() => adjust({ span: value === '5m' ? null : value })}>{SPAN_NAMES[value]}</button>)}
    </div>
  );
  const data = history.data;
  if (kept && !data) return <Panel title="Over time" side={spans} wide>{history.problem ? <Failure problem={history.problem} retry={history.reload} /> : <Skeleton rows={6} />}</Panel>;
  const length = data ? Math.max(0, ...Object.values(data.series).map(one => one.length)) : course.times.length;
  const until = data?.ends_at ? Date.parse(data.ends_at) / 1000 : history.at / 1000;
  const times = data ? Array.from({ length }, (_, i) => until - (length - 1 - i) * data.step_seconds) : course.times;
  const values = (name: SeriesName) => (data ? (data.series[NAMES[name]] ?? Array.from({ length }, () => null)) : course.values[name]);
  return (
    <Panel title={kept ? 'Over time' : 'Since this page is open'} side={spans} wide>
      {length < 2 ? <Empty><p>The first values are on their way.</p></Empty> : (
        <div class="charts">
          <Chart title="Messages per second" times={times} format={rate} series={[{ name: 'in', values: values('in') }, { name: 'out', values: values('out') }]} />
          <Chart title="Clients" times={times} format={count} series={[{ name: 'connected', values: values('clients') }]} />
          {(!data || data.series[NAMES.stored]) && <Chart title="Stored messages" times={times} format={count} series={[{ name: 'queued and retained', values: values('stored') }]} />}
          <Chart title="Dropped per second" times={times} format={rate} series={[{ name: 'all causes', values: values('drops') }]} />
          <Chart title="Memory and store" times={times} format={bytes} binary series={[{ name: 'memory', values: values('memory') }, { name: 'store', values: values('store') }]} />
        </div>
      )}
    </Panel>
  );
}

export function Overview() {
  const { data, problem } = overview.value;
  if (!data) return <><Heading title="Overview" />{problem ? <Failure problem={problem} /> : <Skeleton rows={8} />}</>;
  const stale = now.value - overview.value.at > 8000;
  const problems = data.problems ?? [];
  const queues = data.longest_queues ?? [];
  const sending = data.top_senders ?? [];
  const change = data.last_change;
  return (
    <div class={stale ? 'stale' : ''}>
      <div class={`verdict ${problems.length === 0 ? 'good' : data.health.status === 'failing' ? 'bad' : 'warn'}`}>
        <h1 tabIndex={-1}>{verdict(data, now.value)}</h1>
        <p>{activity(data)} {data.started_at && <span class="quiet">Up {duration(secondsSince(data.started_at, now.value))}.</span>}
          {change && <span class="quiet"> Configuration changed <Ago at={change.at} />{change.by && <> by <Foreign text={change.by} longest={40} /></>}.</span>}</p>
      </div>
      {problems.length > 0 && <ul class="problems">{problems.map(finding => <Problem key={finding.part + finding.detail} finding={finding} />)}</ul>}
      <Numbers data={data} />
      <div class="columns two">
        <Charts />
        <Panel title="Top senders">
          {sending.length > 0 ? (
            <Table
              label="Top senders" rows={sending} id={row => row.client_id} href={row => link(['clients', row.client_id])}
              columns={[
                { name: 'Client', cell: row => <Foreign text={row.client_id} longest={32} />, card: 'title' },
                { name: 'Messages', cell: row => count(row.traffic?.messages_received), number: true },
                { name: 'In', cell: row => rate(row.in_per_second), number: true },
                { name: 'Out', cell: row => rate(row.out_per_second), number: true },
              ]}
            />
          ) : <Empty><p>No client that is connected has sent anything yet.</p></Empty>}
        </Panel>
        <Panel title="Longest queues">
          {queues.length > 0 ? (
            <Table
              label="Longest queues" rows={queues} id={row => row.client_id} href={row => link(['clients', row.client_id], { tab: 'queue' })}
              columns={[
                { name: 'Client', cell: row => <Foreign text={row.client_id} longest={32} />, card: 'title' },
                { name: 'Waiting', cell: row => count(row.queue_messages), number: true },
                { name: 'Size', cell: row => bytes(row.queue_bytes), number: true },
                { name: 'Oldest', cell: row => duration(row.queue_oldest_seconds), number: true },
              ]}
            />
          ) : <Empty><p>Nothing waits for anybody.</p></Empty>}
        </Panel>
      </div>
    </div>
  );
}

/** Every part of the broker with what it finds of itself. */
export function Problems() {
  const { data } = overview.value;
  const problems = data?.problems ?? [];
  return (
    <>
      <Heading title={data ? verdict(data, now.value) : 'Problems'} />
      {problems.length > 0
        ? <ul class="problems">{problems.map(finding => <Problem key={finding.part + finding.detail} finding={finding} />)}</ul>
        : data && <Empty><p>Nothing needs anybody. Every part of the broker finds itself well.</p></Empty>}
    </>
  );
}

