// Who is connected, and who was.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, may, NoAnswer, Problem, read } from '../lib/api';
import { announce } from '../lib/announce';
import { queryText, resource } from '../lib/address';
import { bytes, count, plural, rate } from '../lib/format';
import { adjust, parameter } from '../lib/navigate';
import { link } from '../lib/route';
import { useResource } from '../lib/resource';
import type { Page, SessionRow } from '../lib/types';
import { Ago, Command, Empty, Failure, Foreign, Heading, Skeleton, Status, View } from '../ui/basics';
import { Ask, type Question } from '../ui/dialog';
import { Table } from '../ui/table';

const PER_PAGE = 100;

/** The question before somebody is thrown out, and what comes of it. */
export function kickQuestion(row: { client_id: string }, etag: string | null, done: () => void): Question {
  return {
    title: 'Kick',
    text: <p><Foreign text={row.client_id} longest={120} /> is disconnected; it may come back at once.</p>,
    action: 'Kick',
    danger: true,
    run: async () => {
      try {
        await ask(resource('sessions', row.client_id), { method: 'DELETE', headers: etag ? { 'If-Match': etag } : {} });
      } catch (error) {
        if (error instanceof Problem && error.status === 404) announce('It was gone already.');
        else throw error;
      }
      announce(`${name(row.client_id)} was disconnected`);
      done();
    },
  };
}

/** What a person says of it: not a thousand characters. */
function name(id: string): string {
  return [...id].length > 60 ? `${[...id].slice(0, 59).join('')}…` : id;
}

/** How a session came in: TLS 5.0. */
export function via(row: SessionRow): string {
  const words: Record<string, string> = { tls: 'TLS', tcp: 'TCP', ws: 'WS', wss: 'WSS', unix: 'unix' };
  return [row.transport ? (words[row.transport] ?? row.transport) : '', row.protocol ?? ''].filter(Boolean).join(' ') || '–';
}

export function Clients() {
  const q = parameter('q');
  const state = parameter('state');
  const problem = parameter('problem');
  const sort = parameter('sort');
  const topic = parameter('topic');
  const filter = {
    limit: PER_PAGE, q, state, sort, topic,
    queue_messages_min: problem === 'backlog' ? 1 : null,
    dropped_min: problem === 'drops' ? 1 : null,
  };
  const path = `sessions${queryText(filter)}`;
  const [held, setHeld] = useState(false);
  const first = useResource<Page<SessionRow>>(path, 2000);
  const [shown, setShown] = useState<Page<SessionRow> | undefined>();
  const [more, setMore] = useState<{ path: string; rows: SessionRow[]; next: string | null; problem: Problem | null; loading: boolean } | null>(null);
  const [question, setQuestion] = useState<Question | null>(null);
  const shownPath = useRef('');

  useEffect(() => {
    if (!first.data || first.loading) return;
    // While somebody points at a row it stays where it is: only its numbers change.
    if (held && shownPath.current === path && shown) {
      const fresh = new Map(first.data.items.map(row => [row.client_id, row]));
      setShown({ ...shown, items: shown.items.map(row => fresh.get(row.client_id) ?? row) });
    } else {
      shownPath.current = path;
      setShown(first.data);
    }
  }, [first.data, first.loading, held, path]);

  const rest = more?.path === path ? more : null;
  const next = rest ? rest.next : (shown?.page.next ?? null);
  const ids = new Set(shown?.items.map(row => row.client_id));
  const rows = [...(shown?.items ?? []), ...(rest?.rows.filter(row => !ids.has(row.client_id)) ?? [])];
  const changes = shown && first.data && shownPath.current === path
    ? first.data.items.filter(row => !ids.has(row.client_id)).length + shown.items.filter(row => !first.data!.items.some(other => other.client_id === row.client_id)).length
    : 0;

  const loadMore = async () => {
    if (!next || rest?.loading) return;
    const before = { path, rows: rest?.rows ?? [], next, problem: null };
    setMore({ ...before, loading: true });
    try {
      const page = await read<Page<SessionRow>>('sessions', { ...filter, after: next });
      setMore({ path, rows: [...before.rows, ...page.items], next: page.page.next, problem: null, loading: false });
    } catch (error) {
      if (error instanceof Problem || error instanceof NoAnswer) setMore({ ...before, problem: error instanceof Problem ? error : null, loading: false });
      else throw error;
    }
  };
  const end = useRef<HTMLDivElement>(null);
  const load = useRef(loadMore);
  load.current = loadMore;
  useEffect(() => {
    const watcher = new IntersectionObserver(entries => { if (entries.some(entry => entry.isIntersecting)) void load.current(); }, { rootMargin: '400px' });
    if (end.current) watcher.observe(end.current);
    return () => watcher.disconnect();
  }, [next !== null]);

  return (
    <>
      <Heading title="Clients">
        <span class="quiet" role="status">{shown && (shown.page.total_count != null ? `${count(rows.length)} of ${count(shown.page.total_count)}` : count(rows.length))}</span>
      </Heading>
      {topic !== '' && <p class="sentence">Those who get <Foreign text={topic} longest={80} />. <button type="button" class="link" onClick={() => adjust({ topic: null })}>All clients</button></p>}
      <form class="filters" onSubmit={event => event.preventDefault()}>
        <label class="field grow"><span>Search id, user, address</span>
          <input type="search" value={q} onInput={event => adjust({ q: event.currentTarget.value })} autocomplete="off" spellcheck={false} /></label>
        <label class="field"><span>State</span>
          <select value={state} onChange={event => adjust({ state: event.currentTarget.value })}>
            <option value="">all</option><option value="connected">connected</option><option value="disconnected">away</option>
          </select></label>
        <label class="field"><span>Problems</span>
          <select value={problem} onChange={event => adjust({ problem: event.currentTarget.value })}>
            <option value="">any or none</option><option value="backlog">messages waiting</option><option value="drops">messages dropped</option>
          </select></label>
        <label class="field"><span>Order</span>
          <select value={sort} onChange={event => adjust({ sort: event.currentTarget.value })}>
            <option value="">client id</option><option value="-connected_at">newest first</option><option value="-messages_received">most in</option>
            <option value="-messages_sent">most out</option><option value="-queue_messages">longest queue</option><option value="-dropped_total">most dropped</option>
          </select></label>
        {changes > 0 && held && <button type="button" onClick={() => { setShown(first.data); }}>{plural(changes, 'change')} – refresh order</button>}
      </form>
      <View of={first} everyMs={2000}>{() => rows.length === 0 ? <Nobody q={q} filtered={q !== '' || state !== '' || problem !== '' || topic !== ''} /> : (
        <Table
          label="Clients" rows={rows} id={row => row.client_id} href={row => link(['clients', row.client_id])} total={shown?.page.total_count ?? rows.length} onHold={setHeld}
          sort={sort} onSort={value => adjust({ sort: value === 'client_id' ? null : value })}
          columns={[
            { name: 'Client', sort: 'client_id', card: 'title', wide: true, cell: row => <><StateDot row={row} /><Foreign text={row.client_id} longest={40} /></> },
            { name: 'User', cell: row => <Foreign text={row.user} longest={20} /> },
            { name: 'Address', cell: row => <Foreign text={row.address} longest={28} /> },
            { name: 'Via', cell: row => via(row) },
            { name: 'Since', sort: '-connected_at', cell: row => <Ago at={row.connected_at ?? row.disconnected_at} /> },
            { name: 'In', sort: '-messages_received', number: true, cell: row => rate(row.in_per_second) },
            { name: 'Out', sort: '-messages_sent', number: true, cell: row => rate(row.out_per_second) },
            { name: 'Queue', sort: '-queue_messages', number: true, cell: row => <span title={bytes(row.queue_bytes)}>{count(row.queue_messages)}</span> },
            { name: 'Dropped', sort: '-dropped_total', number: true, cell: row => count(row.dropped_total) },
            ...(may('operator') ? [{
              name: 'Actions', hidden: true, cell: (row: SessionRow) => row.state === 'connected' && (
                <button type="button" class="small" aria-label={`Kick ${name(row.client_id)}`} onClick={() => setQuestion(kickQuestion(row, null, first.reload))}>Kick</button>),
            }] : []),
          ]}
        />
      )}</View>
      {rest?.problem && <Failure problem={rest.problem} retry={() => void loadMore()} />}
      {rest?.loading && <Skeleton rows={2} />}
      {next !== null && <div ref={end} class="end"><button type="button" onClick={() => void loadMore()}>More</button></div>}
      {shown?.page.top && <p class="quiet">These are the first {count(rows.length)} by this order.</p>}
      {question && <Ask question={question} onClose={() => setQuestion(null)} />}
    </>
  );
}

function StateDot({ row }: { row: SessionRow }) {
  return <Status tone={row.state === 'connected' ? 'good' : 'quiet'}><span class="offscreen">{row.state === 'connected' ? 'connected' : 'away'}</span></Status>;
}

function Nobody({ q, filtered }: { q: string; filtered: boolean }) {
  if (!filtered) return <Empty><p>No client has connected yet. Try:</p><Command text="edgebroker sub -t '#'" /></Empty>;
  return (
    <Empty>
      <p>Nothing matches{q !== '' && <> “<Foreign text={q} longest={80} />”</>}. <button type="button" class="link" onClick={() => adjust({ q: null, state: null, problem: null, topic: null })}>Clear</button></p>
      {q !== '' && <p><a href={link(['access'], { q })}>Was it refused?</a> · <a href={link(['clients', q])}>Look the id up</a> · <a href={link(['topics'], { q })}>Search topics</a></p>}
    </Empty>
  );
}
