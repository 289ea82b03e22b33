// MQTT 5.0 packets to bytes and back: what a client sends and receives.

export type Qos = 0 | 1 | 2;
export type UserProperty = readonly [string, string];

export interface Properties {
  payloadFormat?: number;
  expirySeconds?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Uint8Array;
  subscriptionIds?: number[];
  user?: UserProperty[];
  reason?: string;
  topicAlias?: number;
  receiveMaximum?: number;
  maximumQos?: number;
  retainAvailable?: number;
  maximumPacketSize?: number;
  assignedClientId?: string;
  topicAliasMaximum?: number;
  serverKeepAlive?: number;
  sessionExpirySeconds?: number;
}

export interface PublishPacket {
  type: 'publish';
  topic: string;
  payload: Uint8Array;
  qos: Qos;
  retain: boolean;
  dup: boolean;
  packetId: number;
  properties: Properties;
}

export interface AcknowledgePacket {
  type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp';
  packetId: number;
  code: number;
  properties: Properties;
}

export interface CodesPacket {
  type: 'suback' | 'unsuback';
  packetId: number;
  codes: number[];
  properties: Properties;
}

export type Packet =
  | { type: 'connack'; sessionPresent: boolean; code: number; properties: Properties }
  | { type: 'disconnect'; code: number; properties: Properties }
  | { type: 'pingresp' }
  | PublishPacket | AcknowledgePacket | CodesPacket;

/** Bytes that are no MQTT. */
export class Malformed extends Error {}

type Kind = 'byte' | 'two' | 'four' | 'varint' | 'text' | 'data' | 'pair';
const KINDS: Record<number, [Kind, keyof Properties | null]> = {
  0x01: ['byte', 'payloadFormat'], 0x02: ['four', 'expirySeconds'], 0x03: ['text', 'contentType'], 0x08: ['text', 'responseTopic'],
  0x09: ['data', 'correlationData'], 0x0b: ['varint', 'subscriptionIds'], 0x11: ['four', 'sessionExpirySeconds'], 0x12: ['text', 'assignedClientId'],
  0x13: ['two', 'serverKeepAlive'], 0x15: ['text', null], 0x16: ['data', null], 0x1a: ['text', null], 0x1c: ['text', null], 0x1f: ['text', 'reason'],
  0x21: ['two', 'receiveMaximum'], 0x22: ['two', 'topicAliasMaximum'], 0x23: ['two', 'topicAlias'], 0x24: ['byte', 'maximumQos'],
  0x25: ['byte', 'retainAvailable'], 0x26: ['pair', 'user'], 0x27: ['four', 'maximumPacketSize'], 0x28: ['byte', null], 0x29: ['byte', null], 0x2a: ['byte', null],
};

const encoder = new TextEncoder();
const ACKNOWLEDGEMENTS = ['puback', 'pubrec', 'pubrel', 'pubcomp'] as const;

class Writer {
  private readonly parts: number[] = [];

  byte(value: number): this { this.parts.push(value & 0xff); return this; }
  two(value: number): this { return this.byte(value >> 8).byte(value); }
  four(value: number): this { return this.two(value >>> 16).two(value & 0xffff); }

  varint(value: number): this {
    do {
      const rest = Math.floor(value / 128);
      this.byte((value % 128) | (rest > 0 ? 0x80 : 0));
      value = rest;
    } while (value > 0);
    return this;
  }

  raw(data: Uint8Array): this { for (const value of data) this.parts.push(value); return this; }

  data(data: Uint8Array): this {
    if (data.length > 0xffff) throw new Malformed('longer than 65,535 bytes');
    return this.two(data.length).raw(data);
  }

  text(text: string): this { return this.data(encoder.encode(text)); }

  properties(properties: Properties): this {
    const inner = new Writer();
    if (properties.payloadFormat !== undefined) inner.byte(0x01).byte(properties.payloadFormat);
    if (properties.expirySeconds !== undefined) inner.byte(0x02).four(properties.expirySeconds);
    if (properties.contentType !== undefined) inner.byte(0x03).text(properties.contentType);
    if (properties.responseTopic !== undefined) inner.byte(0x08).text(properties.responseTopic);
    if (properties.correlationData !== undefined) inner.byte(0x09).data(properties.correlationData);
    for (const id of properties.subscriptionIds ?? []) inner.byte(0x0b).varint(id);
    if (properties.receiveMaximum !== undefined) inner.byte(0x21).two(properties.receiveMaximum);
    for (const [name, value] of properties.user ?? []) inner.byte(0x26).text(name).text(value);
    const bytes = inner.bytes();
    return this.varint(bytes.length).raw(bytes);
  }

  bytes(): Uint8Array<ArrayBuffer> { return Uint8Array.from(this.parts); }
}

function packet(first: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new Writer().byte(first).varint(body.length).bytes();
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}

export interface ConnectOptions {
  clientId: string;
  keepAliveSeconds: number;
  user?: string;
  password?: string;
  receiveMaximum?: number;
}

export function encodeConnect(options: ConnectOptions): Uint8Array<ArrayBuffer> {
  const hasUser = options.user !== undefined;
  const hasPassword = options.password !== undefined;
  const writer = new Writer().text('MQTT').byte(5).byte(0x02 | (hasUser ? 0x80 : 0) | (hasPassword ? 0x40 : 0)).two(options.keepAliveSeconds)
    .properties({ receiveMaximum: options.receiveMaximum }).text(options.clientId);
  if (hasUser) writer.text(options.user!);
  if (hasPassword) writer.text(options.password!);
  return packet(0x10, writer.bytes());
}

export interface Outgoing {
  topic: string;
  payload: Uint8Array;
  qos: Qos;
  retain: boolean;
  properties: Properties;
}

export function encodePublish(message: Outgoing, packetId: number, dup = false): Uint8Array<ArrayBuffer> {
  const head = new Writer().text(message.topic);
  if (message.qos > 0) head.two(packetId);
  const front = head.properties(message.properties).bytes();
  const body = new Uint8Array(front.length + message.payload.length);
  body.set(front);
  body.set(message.payload, front.length);
  return packet(0x30 | (dup ? 8 : 0) | (message.qos << 1) | (message.retain ? 1 : 0), body);
}

export function encodeAcknowledge(type: AcknowledgePacket['type'], packetId: number, code = 0): Uint8Array<ArrayBuffer> {
  const number = 4 + ACKNOWLEDGEMENTS.indexOf(type);
  const body = new Writer().two(packetId);
  if (code !== 0) body.byte(code);
  return packet((number << 4) | (type === 'pubrel' ? 2 : 0), body.bytes());
}

export function encodeSubscribe(packetId: number, filter: string, qos: Qos, subscriptionId: number): Uint8Array<ArrayBuffer> {
  return packet(0x82, new Writer().two(packetId).properties({ subscriptionIds: [subscriptionId] }).text(filter).byte(qos).bytes());
}

export function encodeUnsubscribe(packetId: number, filter: string): Uint8Array<ArrayBuffer> {
  return packet(0xa2, new Writer().two(packetId).properties({}).text(filter).bytes());
}

export const encodePing = (): Uint8Array<ArrayBuffer> => packet(0xc0, new Uint8Array(0));
export const encodeDisconnect = (): Uint8Array<ArrayBuffer> => packet(0xe0, new Uint8Array(0));

class Reader {
  private at = 0;

  constructor(private readonly data: Uint8Array) {}

  get rest(): number { return this.data.length - this.at; }

  take(length: number): Uint8Array {
    if (this.rest < length) throw new Malformed('it ends too early');
    return this.data.subarray(this.at, (this.at += length));
  }

  byte(): number { return this.take(1)[0]!; }
  two(): number { return this.byte() * 256 + this.byte(); }
  four(): number { return this.two() * 65536 + this.two(); }
  data2(): Uint8Array { return this.take(this.two()); }

  varint(): number {
    let value = 0;
    for (let shift = 1; shift <= 128 ** 3; shift *= 128) {
      const next = this.byte();
      value += (next & 0x7f) * shift;
      if (next < 0x80) return value;
    }
    throw new Malformed('a length is too long');
  }

  text(): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.data2());
    } catch (error) {
      throw error instanceof Malformed ? error : new Malformed('text is no UTF-8');
    }
  }

  properties(): Properties {
    if (this.rest === 0) return {};
    const inner = new Reader(this.take(this.varint()));
    const found: Record<string, unknown> = {};
    while (inner.rest > 0) {
      const entry = KINDS[inner.varint()];
      if (!entry) throw new Malformed('an unknown property');
      const [kind, name] = entry;
      const value = kind === 'pair' ? [inner.text(), inner.text()] : kind === 'data' ? inner.data2().slice() : inner[kind]();
      if (name === 'user' || name === 'subscriptionIds') ((found[name] ??= []) as unknown[]).push(value);
      else if (name !== null) found[name] = value;
    }
    return found as Properties;
  }
}

function decode(first: number, body: Uint8Array): Packet {
  const reader = new Reader(body);
  const number = first >> 4;
  switch (number) {
    case 2: {
      const sessionPresent = (reader.byte() & 1) === 1;
      return { type: 'connack', sessionPresent, code: reader.byte(), properties: reader.properties() };
    }
    case 3: {
      const qos = (first >> 1) & 3;
      if (qos === 3) throw new Malformed('QoS 3');
      const topic = reader.text();
      const packetId = qos > 0 ? reader.two() : 0;
      const properties = reader.properties();
      return {
        type: 'publish', topic, qos: qos as Qos, retain: (first & 1) === 1, dup: (first & 8) !== 0, packetId, properties, payload: reader.take(reader.rest).slice(),
      };
    }
    case 4: case 5: case 6: case 7: {
      const packetId = reader.two();
      const code = reader.rest > 0 ? reader.byte() : 0;
      return { type: ACKNOWLEDGEMENTS[number - 4]!, packetId, code, properties: reader.properties() };
    }
    case 9: case 11: {
      const packetId = reader.two();
      const properties = reader.properties();
      return { type: number === 9 ? 'suback' : 'unsuback', packetId, properties, codes: [...reader.take(reader.rest)] };
    }
    case 13:
      return { type: 'pingresp' };
    case 14: {
      const code = reader.rest > 0 ? reader.byte() : 0;
      return { type: 'disconnect', code, properties: reader.properties() };
    }
    default:
      throw new Malformed(`packet type ${number}`);
  }
}

/** Cuts packets out of a stream of bytes, whose pieces begin and end anywhere. */
export class Decoder {
  private held = new Uint8Array(0);

  /** At most so many bytes are held for one packet. */
  constructor(private readonly limit = 16 * 1024 * 1024) {}

  feed(piece: Uint8Array): Packet[] {
    const data = new Uint8Array(this.held.length + piece.length);
    data.set(this.held);
    data.set(piece, this.held.length);
    const packets: Packet[] = [];
    let at = 0;
    for (;;) {
      const size = this.sizeAt(data, at);
      if (size === null || at + size.whole > data.length) break;
      packets.push(decode(data[at]!, data.subarray(at + size.head, at + size.whole)));
      at += size.whole;
    }
    this.held = data.slice(at);
    return packets;
  }

  private sizeAt(data: Uint8Array, at: number): { head: number; whole: number } | null {
    let length = 0;
    for (let i = 0; i < 4; i++) {
      const next = data[at + 1 + i];
      if (next === undefined) return null;
      length += (next & 0x7f) * 128 ** i;
      if (next < 0x80) {
        if (length > this.limit) throw new Malformed('a packet is too large');
        return { head: 2 + i, whole: 2 + i + length };
      }
    }
    throw new Malformed('a length is too long');
  }
}
