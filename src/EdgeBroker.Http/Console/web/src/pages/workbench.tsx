// To subscribe and publish by hand, over MQTT, as who is logged in or as somebody else.
import { useEffect, useRef, useState } from 'preact/hooks';
import { me } from '../lib/api';
import { announce } from '../lib/announce';
import { asCurl, asEdgebroker, asMosquitto, type Sent } from '../lib/copyas';
import { bytes, count, utf8, visible } from '../lib/format';
import { adjust, parameter } from '../lib/navigate';
import { link } from '../lib/route';
import { preview, toBase64 } from '../lib/value';
import type { Qos, UserProperty } from '../mqtt/codec';
import { reason } from '../mqtt/reasons';
import { clear, connect, connection, disconnect, heardCount, KEPT, type Line, lines, publish, subscribe, subscriptions, unsubscribe } from '../workbench';
import { Clock, Copy, Empty, Foreign, Heading, Panel, Status } from '../ui/basics';
import { Dialog } from '../ui/dialog';
import { Payload } from '../ui/payload';
import { Table } from '../ui/table';

export function Workbench() {
  const side = parameter('side') === 'send' ? 'send' : 'receive';
  useEffect(() => {
    if (connection.value.state === 'off' && connection.value.said === '') void connect();
  }, []);
  return (
    <>
      <Heading title="Workbench"><State /></Heading>
      <nav class="tabs sides" aria-label="Workbench">
        <button type="button" aria-pressed={side === 'receive'} onClick={() => adjust({ side: null })}>Receive</button>
        <button type="button" aria-pressed={side === 'send'} onClick={() => adjust({ side: 'send' })}>Send</button>
      </nav>
      <div class={`bench ${side}`}>
        <Receive />
        <Send />
      </div>
    </>
  );
}

function State() {
  const now = connection.value;
  return (
    <div class="actions">
      {now.state === 'connected' ? <Status tone="good">connected as <Foreign text={me.value?.user} longest={24} /></Status>
        : now.state === 'connecting' ? <Status tone="warn">connecting</Status>
          : <Status tone={now.said === '' || now.said === 'disconnected' ? 'quiet' : 'bad'}>{now.said === '' ? 'not connected' : visible(now.said)}</Status>}
      {now.state === 'off' ? <button type="button" class="primary" onClick={() => void connect()}>Connect</button> : <button type="button" onClick={disconnect}>Disconnect</button>}
    </div>
  );
}

function QosChoice({ value, onChange }: { value: Qos; onChange: (qos: Qos) => void }) {
  return <label class="field"><span>QoS</span><select value={String(value)} onChange={event => onChange(Number(event.currentTarget.value) as Qos)}>{[0, 1, 2].map(qos => <option key={qos} value={qos}>{qos}</option>)}</select></label>;
}

function Receive() {
  const [filter, setFilter] = useState(parameter('topic'));
  const [qos, setQos] = useState<Qos>(0);
  const [paused, setPaused] = useState<readonly Line[] | null>(null);
  const [open, setOpen] = useState<Line | null>(null);
  const seen = heardCount.value;
  const shown = paused ?? lines.last;
  const add = (event: Event) => {
    event.preventDefault();
    if (subscriptions.value.some(one => one.filter === filter && one.state !== 'refused')) {
      announce('It is subscribed already.', 'bad');
      return;
    }
    void subscribe(filter, qos);
    setFilter('');
  };
  return (
    <Panel title="Receive" side={
      <>
        <button type="button" class="small" aria-pressed={paused !== null} onClick={() => setPaused(paused ? null : lines.last)}>{paused ? 'Go on' : 'Pause'}</button>
        <button type="button" class="small" onClick={clear}>Clear</button>
        <button type="button" class="small" disabled={shown.length === 0} onClick={() => exportLines(shown)}>Export</button>
      </>
    }>
      <form class="filters" onSubmit={add}>
        <label class="field grow"><span>Subscribe to</span><input value={filter} onInput={event => setFilter(event.currentTarget.value)} required placeholder="plant/#" autocomplete="off" spellcheck={false} /></label>
        <QosChoice value={qos} onChange={setQos} />
        <button type="submit" class="primary">Subscribe</button>
      </form>
      {subscriptions.value.length > 0 && (
        <ul class="subscriptions" aria-label="Subscriptions">{subscriptions.value.map(one => (
          <li key={one.id}>
            <b class={`letter letter${(one.id - 1) % 6}`}>{one.letter}</b>
            <Foreign text={one.filter} longest={60} /><span class="quiet">QoS {one.qos} · {count(one.count)}</span>
            {one.said && <span class={one.state === 'refused' ? 'wrong' : 'quiet'}>{visible(one.said)}{one.state === 'refused' && <> – <TesterLink action="subscribe" topic={one.filter} /></>}</span>}
            {one.state === 'asked' && <span class="quiet">{connection.value.state === 'connected' ? 'asking…' : 'once connected'}</span>}
            <button type="button" class="link" aria-label={`End subscription ${visible(one.filter)}`} onClick={() => void unsubscribe(one)}>×</button>
          </li>
        ))}</ul>
      )}
      <p class="quiet" data-seen={seen}>{count(lines.total)} received{lines.skipped > 0 && `, skipped ${count(lines.skipped)}`}{lines.total > KEPT && `; the last ${KEPT} are kept`}</p>
      {shown.length === 0 ? <Empty><p>{subscriptions.value.length === 0 ? 'Subscribe to a topic, and what is published there stands here.' : 'Nothing has come yet.'}</p></Empty> : (
        <Table
          label="Received" rows={[...shown].reverse()} id={row => String(row.id)}
          columns={[
            { name: 'Time', cell: row => <Clock at={row.at} /> },
            { name: 'By', cell: row => <b class="letter">{row.letters || '–'}</b> },
            { name: 'Topic', card: 'title', wide: true, cell: row => <button type="button" class="link" onClick={() => setOpen(row)}><Foreign text={row.packet.topic} longest={44} /></button> },
            { name: 'Value', wide: true, cell: row => <code><Foreign text={preview(row.packet.payload, 80)} longest={80} /></code> },
            { name: 'QoS', number: true, cell: row => <>{row.packet.qos}{row.packet.retain && ' R'}</> },
          ]}
        />
      )}
      {open && <Message line={open} onClose={() => setOpen(null)} />}
    </Panel>
  );
}

function Message({ line, onClose }: { line: Line; onClose: () => void }) {
  const { topic, payload, qos, retain, properties } = line.packet;
  const rows = [
    ['QoS', String(qos)], ['Retained', retain ? 'yes' : 'no'], ['Content type', properties.contentType], ['Response topic', properties.responseTopic],
    ['Correlation data', properties.correlationData && toBase64(properties.correlationData)], ['Expires after', properties.expirySeconds !== undefined ? `${properties.expirySeconds} s` : undefined],
    ...(properties.user ?? []),
  ].filter((row): row is [string, string] => row[1] !== undefined);
  return (
    <Dialog title={visible(topic).slice(0, 200)} onClose={onClose}>
      <Payload data={payload} />
      <dl class="facts">{rows.map(([name, text], i) => <div key={i}><dt><Foreign text={name} /></dt><dd><Foreign text={text} longest={200} /></dd></div>)}</dl>
      <div class="buttons"><Copy text={topic} what="topic" /><button type="button" onClick={onClose}>Close</button></div>
    </Dialog>
  );
}

/** One message as one line of JSON. */
export function jsonLine(line: Line): string {
  const { topic, payload, qos, retain, properties } = line.packet;
  const text = utf8(payload);
  return JSON.stringify({
    at: new Date(line.at).toISOString(), topic, qos, retain, ...(text !== null ? { payload: text } : { payload_base64: toBase64(payload) }),
    ...(properties.user ? { user_properties: properties.user } : {}), ...(properties.contentType !== undefined ? { content_type: properties.contentType } : {}),
  });
}

function exportLines(shown: readonly Line[]): void {
  const address = URL.createObjectURL(new Blob([shown.map(line => `${jsonLine(line)}\n`).join('')], { type: 'application/jsonl' }));
  const anchor = document.createElement('a');
  anchor.href = address;
  anchor.download = 'messages.jsonl';
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function TesterLink({ action, topic }: { action: 'publish' | 'subscribe'; topic: string }) {
  return <a href={link(['access'], { tab: 'tester', user: me.value?.user, action, topic })}>open in the ACL tester</a>;
}

const retainAgreed = new Set<string>();

function Send() {
  const [topic, setTopic] = useState(parameter('topic'));
  const [text, setText] = useState('');
  const [qos, setQos] = useState<Qos>(1);
  const [retain, setRetain] = useState(false);
  const [contentType, setContentType] = useState('');
  const [responseTopic, setResponseTopic] = useState('');
  const [expiry, setExpiry] = useState('');
  const [properties, setProperties] = useState<UserProperty[]>([]);
  const [said, setSaid] = useState<{ tone: 'good' | 'bad'; text: string; refused: boolean; last: Sent } | null>(null);
  const [running, setRunning] = useState(false);
  const [confirm, setConfirm] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const connected = connection.value.state === 'connected';
  const json = jsonState(text);
  const send = async () => {
    const message = { topic, payload: new TextEncoder().encode(text), qos, retain };
    const user = properties.filter(([name, value]) => name !== '' || value !== '');
    const last: Sent = { ...message, properties: user };
    setRunning(true);
    try {
      const outcome = await publish({
        ...message,
        properties: {
          ...(user.length > 0 ? { user } : {}), ...(contentType ? { contentType } : {}), ...(responseTopic ? { responseTopic } : {}), ...(expiry ? { expirySeconds: Number(expiry) } : {}),
        },
      });
      if (retain) retainAgreed.add(topic);
      setSaid(outcome.refusal
        ? { tone: 'bad', text: `refused: ${visible(outcome.refusal.text)}`, refused: true, last }
        : { tone: 'good', text: qos === 0 ? 'sent (QoS 0 is not acknowledged)' : outcome.code === 0 ? 'the broker has it' : reason(outcome.code), refused: false, last });
    } catch (error) {
      setSaid({ tone: 'bad', text: visible((error as Error).message), refused: false, last });
    }
    setRunning(false);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if (running || !connected) return;
    if (retain && !retainAgreed.has(topic)) setConfirm(true);
    else void send();
  };
  const change = (at: number, side: 0 | 1, value: string) => setProperties(properties.map((pair, i) => (i !== at ? pair : side === 0 ? [value, pair[1]] : [pair[0], value])));
  return (
    <Panel title="Send">
      <form ref={form} onSubmit={submit} class="send">
        <label class="field"><span>Topic</span><input value={topic} onInput={event => setTopic(event.currentTarget.value)} required autocomplete="off" spellcheck={false} /></label>
        <label class="field"><span>Value {json && <em class={json === 'JSON ok' ? 'quiet' : 'wrong'}>{json}</em>}</span>
          <textarea rows={6} value={text} onInput={event => setText(event.currentTarget.value)} spellcheck={false} /></label>
        <div class="filters">
          <QosChoice value={qos} onChange={setQos} />
          <label class="check"><input type="checkbox" checked={retain} onChange={event => setRetain(event.currentTarget.checked)} /> retain</label>
          <span class="grow quiet">{bytes(new TextEncoder().encode(text).length)}</span>
          <button type="submit" class="primary" disabled={!connected || running} title={connected ? undefined : 'Connect first'}>{running ? 'Publishing…' : 'Publish'}</button>
        </div>
        <details>
          <summary>Properties{properties.length > 0 ? ` (${properties.length})` : ''}</summary>
          <div class="filters">
            <label class="field"><span>Content type</span><input value={contentType} onInput={event => setContentType(event.currentTarget.value)} autocomplete="off" /></label>
            <label class="field"><span>Response topic</span><input value={responseTopic} onInput={event => setResponseTopic(event.currentTarget.value)} autocomplete="off" spellcheck={false} /></label>
            <label class="field"><span>Expires after (s)</span><input type="number" min="0" max="4294967295" value={expiry} onInput={event => setExpiry(event.currentTarget.value)} /></label>
          </div>
          {properties.map(([name, value], i) => (
            <div class="filters" key={i}>
              <label class="field"><span>Name</span><input value={name} onInput={event => change(i, 0, event.currentTarget.value)} autocomplete="off" /></label>
              <label class="field grow"><span>Value</span><input value={value} onInput={event => change(i, 1, event.currentTarget.value)} autocomplete="off" /></label>
              <button type="button" aria-label={`Remove property ${i + 1}`} onClick={() => setProperties(properties.filter((_, at) => at !== i))}>×</button>
            </div>
          ))}
          <button type="button" class="small" onClick={() => setProperties([...properties, ['', '']])}>Add a user property</button>
        </details>
      </form>
      <div role="status">{said && (
        <>
          <p><Status tone={said.tone}>{said.text}</Status>{said.refused && <> – <TesterLink action="publish" topic={said.last.topic} /></>}</p>
          <p class="copies quiet">Copy as <Copied name="edgebroker pub" text={asEdgebroker(said.last)} /> <Copied name="mosquitto_pub" text={asMosquitto(said.last, location.hostname)} /> <Copied name="curl" text={asCurl(said.last, location.origin)} /></p>
        </>
      )}</div>
      {confirm && (
        <Dialog title="Retain it?" onClose={() => setConfirm(false)}>
          <p>The broker keeps this value of <Foreign text={topic} longest={100} /> and gives it to everybody who subscribes, until another replaces it.{text === '' && ' An empty value deletes what is kept.'}</p>
          <div class="buttons"><button type="button" onClick={() => setConfirm(false)}>Cancel</button>
            <button type="button" class="primary" onClick={() => { setConfirm(false); void send(); }}>Publish and retain</button></div>
        </Dialog>
      )}
    </Panel>
  );
}

function Copied({ name, text }: { name: string; text: string }) {
  return <span class="nobreak">{name}<Copy text={text} what={`as ${name}`} /></span>;
}

/** Whether what looks like JSON is some. */
export function jsonState(text: string): string {
  if (!/^\s*[[{]/.test(text)) return '';
  try {
    JSON.parse(text);
    return 'JSON ok';
  } catch (error) {
    return `no JSON: ${(error as Error).message}`;
  }
}
