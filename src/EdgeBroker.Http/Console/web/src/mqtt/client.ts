// An MQTT 5.0 client over a WebSocket: QoS 0 to 2 both ways, one clean session.
import {
  Decoder, encodeAcknowledge, encodeConnect, encodeDisconnect, encodePing, encodePublish, encodeSubscribe, encodeUnsubscribe,
  type Outgoing, type Packet, type Properties, type PublishPacket, type Qos,
} from './codec';
import { reason } from './reasons';

/** What the client needs of a WebSocket. */
export interface Socket {
  binaryType: string;
  onopen: ((event: never) => unknown) | null;
  onmessage: ((event: { data: unknown } & never) => unknown) | null;
  onclose: ((event: { code: number; reason: string } & never) => unknown) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

export interface Refusal {
  code: number;
  /** In words, the broker's own where it gave any. */
  text: string;
  user: readonly (readonly [string, string])[];
}

export interface Outcome {
  code: number;
  refusal: Refusal | null;
}

export interface Events {
  connected(clientId: string): void;
  message(packet: PublishPacket): void;
  ended(text: string, refusal: Refusal | null): void;
}

export interface ClientOptions {
  clientId: string;
  user?: string;
  password?: string;
  keepAliveSeconds?: number;
}

interface Pending {
  resolve(outcome: Outcome): void;
  reject(error: Error): void;
}

const RECEIVE_MAXIMUM = 200;

export class MqttClient {
  private readonly decoder = new Decoder();
  private readonly pending = new Map<number, Pending>();
  private readonly received = new Set<number>();
  private lastId = 0;
  private pinger: ReturnType<typeof setInterval> | undefined;
  private unanswered = false;
  private over = false;

  constructor(private readonly socket: Socket, options: ClientOptions, private readonly events: Events) {
    const keepAliveSeconds = options.keepAliveSeconds ?? 30;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      socket.send(encodeConnect({ ...options, keepAliveSeconds, receiveMaximum: RECEIVE_MAXIMUM }));
      this.startPings(keepAliveSeconds);
    };
    socket.onmessage = (event: { data: unknown }) => this.receive(event.data);
    socket.onclose = (event: { code: number; reason: string }) => this.end(event.reason || `the connection ended (${event.code})`, null);
  }

  /** Resolves when the broker has it: at once for QoS 0. */
  publish(message: Outgoing): Promise<Outcome> {
    if (this.over) return Promise.reject(new Error('not connected'));
    if (message.qos === 0) {
      this.socket.send(encodePublish(message, 0));
      return Promise.resolve({ code: 0, refusal: null });
    }
    return this.exchange(id => encodePublish(message, id));
  }

  /** Resolves with the granted QoS, or with the refusal. */
  subscribe(filter: string, qos: Qos, subscriptionId: number): Promise<Outcome> {
    return this.exchange(id => encodeSubscribe(id, filter, qos, subscriptionId));
  }

  unsubscribe(filter: string): Promise<Outcome> {
    return this.exchange(id => encodeUnsubscribe(id, filter));
  }

  close(): void {
    if (this.over) return;
    try {
      this.socket.send(encodeDisconnect());
    } catch {
      // It was not open yet.
    }
    this.end('disconnected', null);
  }

  private exchange(make: (id: number) => Uint8Array<ArrayBuffer>): Promise<Outcome> {
    if (this.over) return Promise.reject(new Error('not connected'));
    const id = this.nextId();
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.socket.send(make(id));
    });
  }

  private nextId(): number {
    do this.lastId = (this.lastId % 0xffff) + 1;
    while (this.pending.has(this.lastId));
    return this.lastId;
  }

  private receive(data: unknown): void {
    if (this.over || !(data instanceof ArrayBuffer)) return;
    try {
      for (const packet of this.decoder.feed(new Uint8Array(data))) this.handle(packet);
    } catch (error) {
      this.end(`the broker sent what is no MQTT: ${(error as Error).message}`, null);
    }
  }

  private handle(packet: Packet): void {
    switch (packet.type) {
      case 'connack':
        if (packet.code === 0) this.events.connected(packet.properties.assignedClientId ?? '');
        else this.end('refused', refusal(packet.code, packet.properties));
        break;
      case 'publish':
        this.take(packet);
        break;
      case 'pubrel':
        this.received.delete(packet.packetId);
        this.socket.send(encodeAcknowledge('pubcomp', packet.packetId));
        break;
      case 'pubrec':
        if (packet.code >= 0x80) this.settle(packet.packetId, packet.code, packet.properties);
        else this.socket.send(encodeAcknowledge('pubrel', packet.packetId));
        break;
      case 'puback': case 'pubcomp':
        this.settle(packet.packetId, packet.code, packet.properties);
        break;
      case 'suback': case 'unsuback':
        this.settle(packet.packetId, packet.codes[0] ?? 0x80, packet.properties);
        break;
      case 'pingresp':
        this.unanswered = false;
        break;
      case 'disconnect':
        this.end('the broker ended the connection', refusal(packet.code, packet.properties));
        break;
    }
  }

  private take(packet: PublishPacket): void {
    if (packet.qos === 2) {
      const again = this.received.has(packet.packetId);
      this.received.add(packet.packetId);
      if (!again) this.events.message(packet);
      this.socket.send(encodeAcknowledge('pubrec', packet.packetId));
    } else {
      this.events.message(packet);
      if (packet.qos === 1) this.socket.send(encodeAcknowledge('puback', packet.packetId));
    }
  }

  private settle(id: number, code: number, properties: Properties): void {
    const waiting = this.pending.get(id);
    this.pending.delete(id);
    waiting?.resolve({ code, refusal: code >= 0x80 ? refusal(code, properties) : null });
  }

  private startPings(seconds: number): void {
    this.pinger = setInterval(() => {
      if (this.unanswered) {
        this.end('the broker does not answer', null);
        return;
      }
      this.unanswered = true;
      this.socket.send(encodePing());
    }, (seconds * 1000) / 2);
  }

  private end(text: string, why: Refusal | null): void {
    if (this.over) return;
    this.over = true;
    clearInterval(this.pinger);
    for (const waiting of this.pending.values()) waiting.reject(new Error(text));
    this.pending.clear();
    this.socket.close();
    this.events.ended(text, why);
  }
}

function refusal(code: number, properties: Properties): Refusal {
  return { code, text: properties.reason ? `${properties.reason} (0x${code.toString(16)})` : reason(code), user: properties.user ?? [] };
}
