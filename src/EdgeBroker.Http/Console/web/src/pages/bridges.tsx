// Whether the other brokers get what they shall.
import { useState } from 'preact/hooks';
import { ask, may } from '../lib/api';
import { announce } from '../lib/announce';
import { encode } from '../lib/address';
import { now } from '../lib/clock';
import { ago, bytes, clock, count, duration, measure, plural, visible } from '../lib/format';
import { utc } from '../lib/preferences';
import { useResource } from '../lib/resource';
import type { BridgeRow, Page } from '../lib/types';
import { Ago, Clock, Empty, Facts, Foreign, Heading, Panel, sentence, Status, type Tone, View } from '../ui/basics';
import { Ask, type Question } from '../ui/dialog';

const TONES: Record<string, Tone> = { connected: 'good', connecting: 'warn', paused: 'quiet', refused: 'bad' };

/** How a bridge is, in one sentence. */
export function stateOf(bridge: BridgeRow, at: number, inUtc: boolean): string {
  const waiting = `${count(bridge.queue_messages)} waiting`;
  const name = visible(bridge.name);
  switch (bridge.state) {
    case 'connected': {
      const until = bridge.acknowledged_at ? `; your data is at ${name} up to ${clock(bridge.acknowledged_at, at, inUtc)}` : '';
      return `Connected${bridge.since_at ? ` since ${ago(bridge.since_at, at).replace(/ ago$/, '')}` : ''}${until}; ${waiting}${bridge.round_trip_ms != null ? `; ${measure(bridge.round_trip_ms)} ms` : ''}.`;
    }
    case 'paused':
      return `Paused${bridge.since_at ? ` ${ago(bridge.since_at, at)}` : ''}; ${waiting}. A pause ends when the broker restarts.`;
    default: {
      const cause = bridge.cause ? `: ${visible(bridge.cause)}` : '';
      const next = bridge.next_try_at ? `; next try ${ago(bridge.next_try_at, at)}` : '';
      const word = bridge.state === 'refused' ? 'Refused' : bridge.state === 'connecting' ? 'Not connected' : visible(bridge.state);
      return `${word}${bridge.since_at ? ` since ${clock(bridge.since_at, at, inUtc)}` : ''}${cause}${next}; ${waiting}.`;
    }
  }
}

export function Bridges() {
  const bridges = useResource<Page<BridgeRow>>('bridges', 2000);
  return (
    <>
      <Heading title="Bridges" />
      <View of={bridges} everyMs={2000}>{data => data.items.length === 0
        ? <Empty><p>No bridge is configured. A [[bridge]] in broker.toml sends messages to another broker, and fetches them.</p></Empty>
        : data.items.map(bridge => <Bridge key={bridge.name} bridge={bridge} reload={bridges.reload} />)}
      </View>
    </>
  );
}

interface Trial {
  steps: { step: string; good: boolean; text: string }[];
}

function Bridge({ bridge, reload }: { bridge: BridgeRow; reload: () => void }) {
  const [running, setRunning] = useState('');
  const [trial, setTrial] = useState<Trial | null>(null);
  const [question, setQuestion] = useState<Question | null>(null);
  const tell = async (action: string) => (await ask<Trial>(`bridges/${encode(bridge.name)}/${action}`, { method: 'POST' })).body;
  const act = (action: string, done: string) => async () => {
    setRunning(action);
    try {
      const body = await tell(action);
      if (action === 'test') setTrial(body);
      announce(`${visible(bridge.name)} ${done}`);
      reload();
    } catch (error) {
      announce(sentence(error), 'bad');
    }
    setRunning('');
  };
  const waiting = bridge.queue_messages ?? 0;
  const purge = () => setQuestion({
    title: 'Throw away what waits',
    text: <p>{plural(waiting, 'message')} will never reach <Foreign text={bridge.name} />.</p>,
    action: 'Throw away',
    danger: true,
    typed: String(waiting),
    typedLabel: 'Type how many messages that are',
    run: async () => {
      await tell('purge');
      announce('Nothing waits any more');
      reload();
    },
  });
  const button = (action: string, name: string, done: string) =>
    <button type="button" disabled={running !== ''} onClick={act(action, done)}>{running === action ? 'Running…' : name}</button>;
  const routes = bridge.routes ?? [];
  return (
    <Panel title={visible(bridge.name)} side={may('operator') && (
      <>
        {bridge.state === 'paused' ? button('resume', 'Resume', 'goes on') : button('pause', 'Pause', 'is paused')}
        {bridge.state === 'paused' && waiting > 0 ? button('drain', 'Send what waits', 'sends what waits') : button('reconnect', 'Reconnect', 'connects anew')}
        {button('test', 'Test', 'was tried')}
        {may('admin') && waiting > 0 && <button type="button" onClick={purge}>Throw away…</button>}
      </>
    )}>
      <p class="sentence"><Status tone={TONES[bridge.state] ?? 'warn'}>{stateOf(bridge, now.value, utc.value)}</Status></p>
      {trial && <ul class="plain">{trial.steps.map(step => <li key={step.step}><Status tone={step.good ? 'good' : 'bad'}>{step.step}: {visible(step.text)}</Status></li>)}</ul>}
      {question && <Ask question={question} onClose={() => setQuestion(null)} />}
      <Facts rows={[
        ['Address', <Foreign text={bridge.address} />],
        ['Waiting', `${plural(bridge.queue_messages ?? 0, 'message')}${bridge.queue_bytes != null ? `, ${bytes(bridge.queue_bytes)}` : ''}`],
        ['Oldest', duration(bridge.oldest_seconds)],
        ...(bridge.lanes ?? []).map((lane): [string, string] => [
          lane.name ? `Lane ${visible(lane.name)}` : 'Without a lane',
          `${plural(lane.queue_messages, 'message')}, ${bytes(lane.queue_bytes)}${lane.oldest_seconds == null ? '' : `; oldest ${duration(lane.oldest_seconds)}`}`,
        ]),
        ['Sent', `${count(bridge.sent_total)}; ${count(bridge.received_total)} received, ${count(bridge.dropped_total)} dropped, ${count(bridge.refused_total)} refused`],
        ['Acknowledged', <><Ago at={bridge.acknowledged_at} />{bridge.acknowledged_at && <> (<Clock at={bridge.acknowledged_at} />)</>}</>],
        ['Round trip', bridge.round_trip_ms == null ? '–' : `${measure(bridge.round_trip_ms)} ms`],
      ]} />
      {routes.length > 0 && <ul class="plain">{routes.map((route, i) => <li key={i}><code>{visible(typeof route === 'string' ? route : [route.direction, route.filter ?? route.topic, route.qos != null ? `QoS ${route.qos}` : '', route.lane ? `lane ${route.lane}` : ''].filter(Boolean).join(' '))}</code></li>)}</ul>}
    </Panel>
  );
}
