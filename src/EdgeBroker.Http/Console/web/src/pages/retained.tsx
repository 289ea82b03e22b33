// Retained values: to be browsed, deleted, and put back.
import { useState } from 'preact/hooks';
import { ask, may, NoAnswer, Problem } from '../lib/api';
import { announce } from '../lib/announce';
import { queryText, resource } from '../lib/address';
import { bytes, count, duration, plural, short, visible } from '../lib/format';
import { adjust } from '../lib/navigate';
import { link } from '../lib/route';
import { useResource } from '../lib/resource';
import type { Page, RetainedRow, RetainedValue } from '../lib/types';
import { payloadOf } from '../lib/value';
import { Ago, Empty, Failure, Foreign, Panel, sentence, Skeleton } from '../ui/basics';
import { Ask, type Question } from '../ui/dialog';
import { Payload } from '../ui/payload';
import { Table } from '../ui/table';

const BULK = 1000;

/** Of a larger value the API shows the beginning only, so that its deletion cannot be taken back here. */
const WHOLE_BYTES = 1024 * 1024;

/** A plain word is searched for; what looks like a filter is one. */
export function filterOrText(q: string): { filter?: string; q?: string } {
  return q === '' ? {} : /[+#]/.test(q) ? { filter: q } : { q };
}

export function RetainedList({ q, selected }: { q: string; selected: string | null }) {
  const path = `retained${queryText({ ...filterOrText(q), limit: 500 })}`;
  const list = useResource<Page<RetainedRow>>(path, 5000);
  const [question, setQuestion] = useState<Question | null>(null);
  if (!list.data) return list.problem ? <Failure problem={list.problem} retry={list.reload} /> : <Skeleton />;
  const rows = list.data.items;
  if (rows.length === 0) {
    return <Empty><p>{q === '' ? 'No value is retained.' : <>No retained value matches “<Foreign text={q} longest={60} />”. <button type="button" class="link" onClick={() => adjust({ q: null })}>Clear</button></>}</p></Empty>;
  }
  const total = list.data.page?.total_count ?? rows.length;
  const bulk = () => setQuestion({
    title: 'Delete retained values',
    text: (
      <>
        <p>{plural(total, 'value')} under <code>{visible(q)}</code> {total === 1 ? 'is' : 'are'} deleted; {total === 1 ? 'it comes' : 'they come'} back only when published again.</p>
        <ul class="plain">{rows.slice(0, 20).map(row => <li key={row.topic}><Foreign text={row.topic} longest={60} /></li>)}{total > 20 && <li class="quiet">and {count(total - 20)} more</li>}</ul>
      </>
    ),
    action: `Delete ${count(total)}`,
    danger: true,
    typed: String(total),
    typedLabel: 'Type how many that are',
    run: async () => {
      const answer = (await ask<{ deleted_count?: number }>('retained/delete', { method: 'POST', body: { filter: q, expect_count: total } })).body;
      announce(`${plural(answer?.deleted_count ?? total, 'value')} deleted`);
      list.reload();
    },
  });
  return (
    <>
      <p class="quiet">{plural(total, 'value')}{may('admin') && /[+#]/.test(q) && total <= BULK && <> <button type="button" class="small" onClick={bulk}>Delete all of these…</button></>}</p>
      <Table
        label="Retained values" rows={rows} id={row => row.topic} href={row => link(['topics', row.topic], { mode: 'retained', q })} total={total}
        columns={[
          { name: 'Topic', card: 'title', wide: true, cell: row => <span class={row.topic === selected ? 'chosen' : ''}><Foreign text={row.topic} longest={60} /></span> },
          { name: 'QoS', number: true, cell: row => row.qos },
          { name: 'Size', number: true, cell: row => bytes(row.payload_bytes ?? row.bytes) },
          ...(rows.some(row => row.set_at) ? [{ name: 'Set', cell: (row: RetainedRow) => <Ago at={row.set_at} /> }] : []),
          { name: 'Expires', cell: row => (row.expires_in_seconds != null ? `in ${duration(row.expires_in_seconds)}` : row.expires_at ? <Ago at={row.expires_at} /> : 'never') },
        ]}
      />
      {rows.length < total && <p class="quiet">These are the first {count(rows.length)} of {count(total)}: search for others.</p>}
      {question && <Ask question={question} onClose={() => setQuestion(null)} />}
    </>
  );
}

/** What is put back: the value as it was, with its properties. */
export function undoBody(value: RetainedValue): Record<string, unknown> {
  const { payload, payload_base64, qos, content_type, response_topic, correlation_data_base64, payload_format, user_properties } = value;
  const all = { payload, payload_base64, qos, content_type, response_topic, correlation_data_base64, payload_format, user_properties, expiry_seconds: value.expiry_seconds ?? value.expires_in_seconds };
  return Object.fromEntries(Object.entries(all).filter(([, one]) => one != null));
}

async function putBack(topic: string, value: RetainedValue, done: () => void): Promise<void> {
  try {
    await ask(resource('retained', topic), { method: 'PUT', body: undoBody(value), headers: { 'If-None-Match': '*' } });
    announce('The value is back');
  } catch (error) {
    if (error instanceof Problem && error.status === 412) announce('A newer value came meanwhile; nothing was put back.', 'bad');
    else if (error instanceof Problem || error instanceof NoAnswer) announce(sentence(error), 'bad');
    else throw error;
  }
  done();
}

export function RetainedPanel({ topic }: { topic: string }) {
  const [whole, setWhole] = useState(false);
  const value = useResource<RetainedValue>(may('operator') ? resource('retained', topic, whole ? { payload_limit_bytes: WHOLE_BYTES } : {}) : null, 3000);
  const [running, setRunning] = useState(false);
  if (!may('operator')) return null;
  const data = value.data;
  const remove = async () => {
    setRunning(true);
    try {
      const before = await ask<RetainedValue>(resource('retained', topic, { payload_limit_bytes: WHOLE_BYTES }));
      await ask(resource('retained', topic), { method: 'DELETE', headers: before.etag ? { 'If-Match': before.etag } : {} });
      announce(`Deleted the retained value of ${short(topic, 50)}`, 'good', before.body.payload_truncated ? undefined : () => void putBack(topic, before.body, value.reload));
    } catch (error) {
      if (error instanceof Problem && error.status === 412) announce('Another value came meanwhile; it was left.', 'bad');
      else if (error instanceof Problem || error instanceof NoAnswer) announce(sentence(error), 'bad');
      else throw error;
    }
    setRunning(false);
    value.reload();
  };
  const gone = value.problem?.kind === 'no-retained-value';
  const payload = data ? payloadOf(data) : null;
  const properties = data?.user_properties ?? [];
  return (
    <Panel title="Retained" side={data && <button type="button" class="small danger" disabled={running} onClick={remove}>{running ? 'Deleting…' : 'Delete retained'}</button>}>
      {gone ? <p class="quiet">No value is retained here.</p> : value.problem ? <Failure problem={value.problem} retry={value.reload} /> : !data ? <Skeleton rows={2} /> : (
        <>
          {payload && <Payload data={payload} size={data.payload_bytes} cut={data.payload_truncated === true} loadAll={() => setWhole(true)} />}
          <p class="quiet">QoS {data.qos}{data.publisher && <>, by <a href={link(['clients', data.publisher])}><Foreign text={data.publisher} longest={30} /></a></>}{data.set_at && <>, set <Ago at={data.set_at} /></>}{data.expires_in_seconds != null && <>, expires in {duration(data.expires_in_seconds)}</>}
            {data.expires_at && <>, expires <Ago at={data.expires_at} /></>}{data.content_type && <>, <Foreign text={data.content_type} /></>}</p>
          {properties.length > 0 && <dl class="facts">{properties.map(([name, text], i) => <div key={i}><dt><Foreign text={name} /></dt><dd><Foreign text={text} /></dd></div>)}</dl>}
        </>
      )}
    </Panel>
  );
}
