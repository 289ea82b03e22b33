// The workbench's connection and what it heard: kept while the page shows something else.
import { signal } from '@preact/signals';
import { ask, Problem } from './lib/api';
import { now } from './lib/clock';
import { Tail } from './lib/throttle';
import { MqttClient, type Outcome, type Refusal } from './mqtt/client';
import type { Outgoing, PublishPacket, Qos } from './mqtt/codec';

export const KEPT = 500;
const PER_SECOND = 50;

export interface Subscription {
  id: number;
  filter: string;
  qos: Qos;
  letter: string;
  state: 'asked' | 'granted' | 'refused';
  said: string;
  count: number;
}

export interface Line {
  id: number;
  at: number;
  packet: PublishPacket;
  letters: string;
}

export type Connection =
  | { state: 'off'; said: string; refusal: Refusal | null }
  | { state: 'connecting' }
  | { state: 'connected'; client: MqttClient };

export const connection = signal<Connection>({ state: 'off', said: '', refusal: null });
export const subscriptions = signal<readonly Subscription[]>([]);
export const lines = new Tail<Line>(KEPT, PER_SECOND);
/** Grows when there is something new to draw, four times a second at most. */
export const heardCount = signal(0);

let lastSubscription = 0;
let lastLine = 0;
let drawing: number | undefined;

function letterOf(id: number): string {
  return String.fromCharCode(65 + ((id - 1) % 26));
}

export async function connect(): Promise<void> {
  disconnect();
  connection.value = { state: 'connecting' };
  // A browser does not tell why a WebSocket was refused; the same address without one does.
  const refused = await ask('mqtt').then(() => null, error => error as unknown);
  if (refused instanceof Problem && (refused.kind === 'no-such-endpoint' || refused.status === 401 || refused.status === 403)) {
    const said = refused.kind === 'no-such-endpoint' ? 'this broker offers its console no MQTT' : refused.detail || refused.title;
    connection.value = { state: 'off', said, refusal: null };
    return;
  }
  const address = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/mqtt`;
  const client: MqttClient = new MqttClient(new WebSocket(address, 'mqtt'), { clientId: '' }, {
    connected() {
      connection.value = { state: 'connected', client };
      for (const one of subscriptions.value) void request(client, one);
    },
    message: hear,
    ended(said, refusal) {
      if (connection.value.state === 'connected' ? connection.value.client === client : connection.value.state === 'connecting') {
        connection.value = { state: 'off', said: refusal ? `refused: ${refusal.text}` : said, refusal };
      }
    },
  });
  current = client;
}

let current: MqttClient | null = null;

export function disconnect(): void {
  const client = current;
  current = null;
  client?.close();
  if (connection.value.state !== 'off') connection.value = { state: 'off', said: 'disconnected', refusal: null };
}

function hear(packet: PublishPacket): void {
  const ids = packet.properties.subscriptionIds ?? [];
  const mine = subscriptions.value.filter(one => ids.includes(one.id));
  mine.forEach(one => one.count++);
  lines.add({ id: ++lastLine, at: Date.now(), packet, letters: mine.map(one => one.letter).join('') }, Date.now());
  drawing ??= window.setTimeout(() => {
    drawing = undefined;
    heardCount.value++;
  }, 250);
}

export async function subscribe(filter: string, qos: Qos): Promise<void> {
  const id = ++lastSubscription;
  const one: Subscription = { id, filter, qos, letter: letterOf(id), state: 'asked', said: '', count: 0 };
  subscriptions.value = [...subscriptions.value, one];
  if (connection.value.state === 'connected') await request(connection.value.client, one);
}

async function request(client: MqttClient, one: Subscription): Promise<void> {
  let outcome: Outcome;
  try {
    outcome = await client.subscribe(one.filter, one.qos, one.id);
  } catch {
    return;
  }
  const changed: Partial<Subscription> = outcome.refusal
    ? { state: 'refused', said: `refused: ${outcome.refusal.text}` }
    : { state: 'granted', said: outcome.code < one.qos ? `QoS ${outcome.code} only` : '' };
  subscriptions.value = subscriptions.value.map(other => (other.id === one.id ? Object.assign(other, changed) : other));
}

export async function unsubscribe(one: Subscription): Promise<void> {
  subscriptions.value = subscriptions.value.filter(other => other.id !== one.id);
  if (connection.value.state !== 'connected' || one.state !== 'granted') return;
  try {
    await connection.value.client.unsubscribe(one.filter);
  } catch {
    // The connection ended, and the subscription with it.
  }
}

export function publish(message: Outgoing): Promise<Outcome> {
  return connection.value.state === 'connected' ? connection.value.client.publish(message) : Promise.reject(new Error('not connected'));
}

export function clear(): void {
  lines.clear();
  subscriptions.value = subscriptions.value.map(one => Object.assign(one, { count: 0 }));
  heardCount.value++;
  now.value = Date.now();
}
