// A publish as a line for a terminal. No user and no password is in it.
import { shellWord, utf8 } from './format';
import type { UserProperty } from '../mqtt/codec';

export interface Sent {
  topic: string;
  payload: Uint8Array;
  qos: number;
  retain: boolean;
  properties: readonly UserProperty[];
}

/** The payload as a shell word: text, or bytes in bash's own writing. */
function payloadWord(data: Uint8Array): string {
  const text = utf8(data);
  if (text !== null && !text.includes('\0')) return text === '' ? "''" : shellWord(text);
  return `$'${[...data].map(value => `\\x${value.toString(16).padStart(2, '0')}`).join('')}'`;
}

export function asEdgebroker(sent: Sent): string {
  const properties = sent.properties.map(([name, value]) => ` -D publish user-property ${shellWord(name)} ${shellWord(value)}`).join('');
  return `edgebroker pub -t ${shellWord(sent.topic)} -m ${payloadWord(sent.payload)} -q ${sent.qos}${sent.retain ? ' -r' : ''}${properties}`;
}

export function asMosquitto(sent: Sent, host: string): string {
  const properties = sent.properties.map(([name, value]) => ` -D publish user-property ${shellWord(name)} ${shellWord(value)}`).join('');
  return `mosquitto_pub -V 5 -h ${shellWord(host)} -t ${shellWord(sent.topic)} -m ${payloadWord(sent.payload)} -q ${sent.qos}${sent.retain ? ' -r' : ''}${properties}`;
}

export function asCurl(sent: Sent, origin: string): string {
  const text = utf8(sent.payload);
  const payload = text !== null ? { payload: text } : { payload_base64: btoa(String.fromCharCode(...sent.payload)) };
  const body = JSON.stringify({
    topic: sent.topic, ...payload, qos: sent.qos, retain: sent.retain, ...(sent.properties.length > 0 ? { user_properties: sent.properties } : {}),
  });
  return `curl -H 'Content-Type: application/json' -d ${shellWord(body)} ${shellWord(`${origin}/publish`)}`;
}
