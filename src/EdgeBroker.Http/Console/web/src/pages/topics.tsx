// What is said in which topic: live, by a filter that is listened to, and the values that are retained.
import { useEffect, useState } from 'preact/hooks';
import { may } from '../lib/api';
import { now } from '../lib/clock';
import { bytes, count, plural, rate } from '../lib/format';
import { type Heard, rateOf, type TopicNode } from '../lib/heard';
import { adjust, go, parameter, route } from '../lib/navigate';
import { link } from '../lib/route';
import { useResource } from '../lib/resource';
import type { TopicStats } from '../lib/types';
import { difference, numberOf, preview } from '../lib/value';
import { Watch } from '../lib/watch';
import { Ago, Clock, Copy, Empty, Foreign, Heading, Panel, Status, Tabs } from '../ui/basics';
import { Chart } from '../ui/chart';
import { Table } from '../ui/table';
import { TopicTree } from '../ui/tree';
import { RetainedList, RetainedPanel } from './retained';

const TABS = [['live', 'Live'], ['retained', 'Retained']] as const;

export function Topics() {
  const mode = parameter('mode') === 'retained' ? 'retained' : 'live';
  const topic = route.value.path.length > 1 ? route.value.path.slice(1).join('/') : null;
  const q = parameter('q');
  const filter = parameter('filter');
  const listens = mode === 'live' && may('operator');
  // A topic that is looked at alone is listened to alone.
  const wanted = !listens ? '' : filter !== '' ? filter : topic !== null && !/[+#]/.test(topic) ? topic : '';
  const [watch, setWatch] = useState<Watch | null>(null);
  useEffect(() => {
    if (wanted === '') {
      setWatch(null);
      return;
    }
    const one = new Watch(wanted);
    setWatch(one);
    return () => one.close();
  }, [wanted]);
  const keep = { mode: mode === 'retained' ? mode : null, q, filter };
  const select = (next: string) => go(['topics', next], keep);
  const version = watch?.version.value ?? 0;
  return (
    <>
      <Heading title="Topics">
        <Tabs label="Topics" current={mode} items={TABS.map(([id, name]) => ({ id, name, href: link(['topics', ...(topic !== null ? [topic] : [])], { ...keep, mode: id === 'live' ? null : id }) }))} />
      </Heading>
      {mode === 'retained' ? <Search label="Search, or a filter as plant/#" /> : <Listening watch={watch} filter={filter} />}
      <div class={`split${topic !== null ? ' chosen' : ''}`} data-version={version}>
        <div class="master">
          {mode === 'retained' ? <RetainedList q={q} selected={topic} /> : <Live watch={watch} q={q} selected={topic} onSelect={select} keep={keep} />}
        </div>
        {topic !== null && (
          <div class="detail">
            <p class="crumbs back"><a href={link(['topics'], keep)}>‹ Topics</a></p>
            <Topic key={topic} topic={topic} node={watch?.memory.find(topic)} />
          </div>
        )}
      </div>
    </>
  );
}

function Search({ label }: { label: string }) {
  return (
    <form class="filters" onSubmit={event => event.preventDefault()}>
      <label class="field grow"><span>{label}</span>
        <input type="search" value={parameter('q')} onInput={event => adjust({ q: event.currentTarget.value })} autocomplete="off" spellcheck={false} /></label>
    </form>
  );
}

function Listening({ watch, filter }: { watch: Watch | null; filter: string }) {
  const [text, setText] = useState(filter);
  const [paused, setPaused] = useState(false);
  useEffect(() => setText(filter), [filter]);
  useEffect(() => setPaused(false), [watch]);
  if (!may('operator')) return null;
  const pause = () => {
    watch!.paused = !paused;
    watch!.passed.value = 0;
    setPaused(!paused);
  };
  return (
    <>
      <form class="filters" onSubmit={event => { event.preventDefault(); adjust({ filter: text }); }}>
        <label class="field grow"><span>Listen to a filter</span><input value={text} onInput={event => setText(event.currentTarget.value)} placeholder="plant/#" autocomplete="off" spellcheck={false} /></label>
        <button type="submit" class="primary" disabled={text === ''}>Listen</button>
        {watch && <button type="button" aria-pressed={paused} onClick={pause}>{paused ? `Go on${watch.passed.value > 0 ? ` (${count(watch.passed.value)} passed)` : ''}` : 'Pause'}</button>}
        {filter !== '' && <label class="field"><span>Search topics</span><input type="search" value={parameter('q')} onInput={event => adjust({ q: event.currentTarget.value })} autocomplete="off" spellcheck={false} /></label>}
      </form>
      {watch && (
        <p class="sentence">
          <Status tone={watch.state.value === 'live' ? 'good' : watch.state.value === 'off' && watch.said.value ? 'bad' : 'warn'}>
            {watch.state.value === 'live' ? <>listening to <Foreign text={watch.filter} longest={80} /></> : watch.said.value ? <Foreign text={watch.said.value} /> : watch.state.value === 'lost' ? 'the stream broke off; it is asked for again' : 'connecting'}
          </Status>
          {watch.state.value === 'live' && <span class="quiet"> · {plural(watch.memory.root.topics, 'topic')}, {rate(rateOf(watch.memory.root, now.value))}
            {watch.skipped.value > 0 && <>, skipped {count(watch.skipped.value)}</>}{watch.memory.left > 0 && <>; {count(watch.memory.left)} messages of further topics are not shown</>}</span>}
        </p>
      )}
    </>
  );
}

interface LiveProps {
  watch: Watch | null;
  q: string;
  selected: string | null;
  onSelect: (topic: string) => void;
  keep: Record<string, string | null>;
}

function Live({ watch, q, selected, onSelect, keep }: LiveProps) {
  if (!may('operator')) return <Empty><p>Operators see what is published; the values that are retained are listed under Retained.</p></Empty>;
  if (!watch) {
    return (
      <Empty>
        <p>Say which topics to listen to. The broker sends what comes from then on, and what is retained; at most 200 messages a second, and what is beyond is counted.</p>
        <p><button type="button" class="link" onClick={() => adjust({ filter: '#' })}>Listen to everything</button></p>
      </Empty>
    );
  }
  const root = watch.memory.root;
  if (root.topics === 0) return <Empty><p>{watch.state.value === 'live' ? 'Nothing has come yet.' : '…'}</p></Empty>;
  if (q === '') return <TopicTree root={root} selected={selected} onSelect={onSelect} />;
  const found = watch.memory.search(q, 200);
  if (found.length === 0) return <Empty><p>None of the topics that were heard holds “<Foreign text={q} longest={60} />”. <button type="button" class="link" onClick={() => adjust({ q: null })}>Clear</button></p></Empty>;
  return (
    <Table
      label="Topics found" rows={found} id={node => node.topic} href={node => link(['topics', node.topic], keep)}
      columns={[
        { name: 'Topic', card: 'title', wide: true, cell: node => <Foreign text={node.topic} longest={60} /> },
        { name: 'Value', wide: true, cell: node => <code><Foreign text={preview(node.values.at(-1)!.data, 40)} longest={40} /></code> },
        { name: 'Rate', number: true, cell: node => rate(rateOf(node, now.value)) },
      ]}
    />
  );
}

function Topic({ topic, node }: { topic: string; node: TopicNode | undefined }) {
  const stats = useResource<TopicStats>(topic === '.' || topic === '..' || topic === '' ? null : `topics/${encodeURIComponent(topic)}/stats`, 5000);
  const data = stats.data;
  return (
    <>
      <div class="heading"><h2><Foreign text={topic} longest={120} /></h2><Copy text={topic} what="topic" /><span class="grow" />
        <a class="button small" href={link(['workbench'], { topic })}>Workbench</a></div>
      <p class="sentence">
        {data && <>{rate(data.in_per_second)}, {plural(data.published_total ?? 0, 'message')}, {bytes(data.bytes_total)}; last <Ago at={data.last_at} />
          {data.last_publisher && <> by <a href={link(['clients', data.last_publisher])}><Foreign text={data.last_publisher} longest={30} /></a></>}. </>}
        <a href={link(['clients'], { topic })}>Who gets it?</a>
      </p>
      <RetainedPanel topic={topic} />
      <LiveValues values={node?.values ?? []} />
    </>
  );
}

function LiveValues({ values }: { values: readonly Heard[] }) {
  const numbers = values.map(one => numberOf(one.data));
  return (
    <>
      {values.length > 1 && numbers.every(number => number !== null) && (
        <Panel title="Over time">
          <Chart title="Value" times={values.map(one => one.at / 1000)} series={[{ name: 'value', values: numbers }]} format={value => (value == null ? '–' : String(Number(value.toPrecision(6))))} />
        </Panel>
      )}
      <Panel title="Live">
        {!may('operator') ? <Empty><p>Operators see payloads.</p></Empty> : values.length === 0 ? <Empty><p>Nothing has come since this page listens.</p></Empty> : (
          <Table
            label="Last values" rows={values.map((one, i) => ({ ...one, before: values[i - 1]?.data })).reverse()} id={row => String(row.id)}
            columns={[
              { name: 'Time', cell: row => <Clock at={row.at} /> },
              { name: 'Value', card: 'title', wide: true, cell: row => <code><Foreign text={preview(row.data)} longest={120} /></code> },
              { name: 'Change', number: true, cell: row => difference(row.data, row.before) },
              { name: 'QoS', number: true, cell: row => <>{row.qos}{row.retain && ' R'}</> },
            ]}
          />
        )}
      </Panel>
    </>
  );
}
