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

function Bridge({ bridge, reload }: { bridge: BridgeRow; reload: () => void }) {
  const [running, setRunning] = useState('');
  const act = (action: 'pause' | 'resume' | 'reconnect', done: string) => async () => {
    setRunning(action);
    try {
      await ask(`bridges/${encode(bridge.name)}/${action}`, { method: 'POST' });
      announce(`${visible(bridge.name)} ${done}`);
      reload();
    } catch (error) {
      announce(sentence(error), 'bad');
    }
    setRunning('');
  };
  const routes = bridge.routes ?? [];
  return (
    <Panel title={visible(bridge.name)} side={may('operator') && (
      <>
        {bridge.state === 'paused'
          ? <button type="button" disabled={running !== ''} onClick={act('resume', 'goes on')}>{running === 'resume' ? 'Running…' : 'Resume'}</button>
          : <button type="button" disabled={running !== ''} onClick={act('pause', 'is paused')}>{running === 'pause' ? 'Running…' : 'Pause'}</button>}
        <button type="button" disabled={running !== ''} onClick={act('reconnect', 'connects anew')}>{running === 'reconnect' ? 'Running…' : 'Reconnect'}</button>
      </>
    )}>
      <p class="sentence"><Status tone={TONES[bridge.state] ?? 'warn'}>{stateOf(bridge, now.value, utc.value)}</Status></p>
      <Facts rows={[
        ['Address', <Foreign text={bridge.address} />],
        ['Waiting', `${plural(bridge.queue_messages ?? 0, 'message')}${bridge.queue_bytes != null ? `, ${bytes(bridge.queue_bytes)}` : ''}`],
        ['Oldest', duration(bridge.oldest_seconds)],
        ['Sent', count(bridge.sent_total)],
        ['Acknowledged', <><Ago at={bridge.acknowledged_at} />{bridge.acknowledged_at && <> (<Clock at={bridge.acknowledged_at} />)</>}</>],
        ['Round trip', bridge.round_trip_ms == null ? '–' : `${measure(bridge.round_trip_ms)} ms`],
      ]} />
      {routes.length > 0 && <ul class="plain">{routes.map((route, i) => <li key={i}><code>{visible(typeof route === 'string' ? route : [route.direction, route.filter ?? route.topic, route.qos != null ? `QoS ${route.qos}` : ''].filter(Boolean).join(' '))}</code></li>)}</ul>}
    </Panel>
  );
}
