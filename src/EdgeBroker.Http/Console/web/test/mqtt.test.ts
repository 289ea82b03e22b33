import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MqttClient, type Socket } from '../src/mqtt/client';
import { Decoder, encodeAcknowledge, encodeConnect, encodePublish, encodeSubscribe, Malformed, type PublishPacket } from '../src/mqtt/codec';
import { reason } from '../src/mqtt/reasons';

const bytesOf = (text: string) => Uint8Array.from(text.match(/../g)!.map(pair => parseInt(pair, 16)));
const hexOf = (data: Uint8Array) => [...data].map(value => value.toString(16).padStart(2, '0')).join('');

test('CONNECT is what the specification draws', () => {
  assert.equal(hexOf(encodeConnect({ clientId: 'a', keepAliveSeconds: 30 })), '100e00044d5154540502001e00000161');
  assert.equal(hexOf(encodeConnect({ clientId: '', keepAliveSeconds: 0, user: 'u', password: 'p' })), '101300044d51545405c20000000000000175000170');
});

test('PUBLISH carries its properties both ways', () => {
  const sent = encodePublish({
    topic: 'plant/t', payload: new TextEncoder().encode('21.5'), qos: 2, retain: true,
    properties: {
      user: [['k', 'v'], ['k', 'w']], contentType: 'text/plain', responseTopic: 'r', expirySeconds: 4_294_967_295, payloadFormat: 1,
      correlationData: Uint8Array.of(0, 255), subscriptionIds: [268_435_455],
    },
  }, 7);
  const [packet] = new Decoder().feed(sent) as [PublishPacket];
  assert.equal(packet.topic, 'plant/t');
  assert.equal(new TextDecoder().decode(packet.payload), '21.5');
  assert.deepEqual([packet.qos, packet.retain, packet.dup, packet.packetId], [2, true, false, 7]);
  assert.deepEqual(packet.properties, {
    payloadFormat: 1, expirySeconds: 4_294_967_295, contentType: 'text/plain', responseTopic: 'r', correlationData: Uint8Array.of(0, 255),
    subscriptionIds: [268_435_455], user: [['k', 'v'], ['k', 'w']],
  });
});

test('packets are cut wherever the stream is', () => {
  const one = encodePublish({ topic: 'a', payload: new Uint8Array(300), qos: 0, retain: false, properties: {} }, 0);
  const stream = new Uint8Array(one.length * 3);
  for (let i = 0; i < 3; i++) stream.set(one, i * one.length);
  for (const size of [1, 2, 7, 305, stream.length]) {
    const decoder = new Decoder();
    let count = 0;
    for (let at = 0; at < stream.length; at += size) count += decoder.feed(stream.subarray(at, at + size)).length;
    assert.equal(count, 3, `pieces of ${size}`);
  }
});

test('what is no MQTT is refused', () => {
  for (const wrong of ['30ffffffff01', '3600', '3003000261', 'f000', '300400016102ff', '20050000020b80', '3005000261ff00']) {
    assert.throws(() => new Decoder().feed(bytesOf(wrong)), Malformed, wrong);
  }
  assert.throws(() => new Decoder(100).feed(bytesOf('30ff7f')), Malformed);
});

test('acknowledgements and refusals are read with their words', () => {
  const packets = new Decoder().feed(bytesOf('400200074003000787400a000887061f0003723478'));
  assert.deepEqual(packets.map(packet => packet.type), ['puback', 'puback', 'puback']);
  assert.deepEqual(packets[1], { type: 'puback', packetId: 7, code: 0x87, properties: {} });
  assert.deepEqual(packets[2], { type: 'puback', packetId: 8, code: 0x87, properties: { reason: 'r4x' } });
});

test('a reason is words and the number', () => {
  assert.equal(reason(0x87), 'not authorized (0x87)');
  assert.equal(reason(0xfe), '0xfe');
});

class FakeSocket implements Socket {
  binaryType = '';
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  readonly sent: string[] = [];
  closed = false;
  send(data: Uint8Array<ArrayBuffer>) { this.sent.push(hexOf(data)); }
  close() { this.closed = true; }
  open() { this.onopen!(undefined as never); }
  receive(data: Uint8Array<ArrayBuffer>) { this.onmessage!({ data: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) } as never); }
  take() { return this.sent.splice(0); }
}

function connected() {
  const socket = new FakeSocket();
  const said: string[] = [];
  const heard: PublishPacket[] = [];
  const client = new MqttClient(socket, { clientId: 'c' }, {
    connected: id => said.push(`connected ${id}`),
    message: packet => heard.push(packet),
    ended: (text, refusal) => said.push(refusal ? refusal.text : text),
  });
  socket.open();
  socket.take();
  socket.receive(bytesOf('200300' + '00' + '00'));
  return { socket, client, said, heard };
}

test('QoS 2 out is four packets, and done after the last', async () => {
  const { socket, client } = connected();
  let done = false;
  const outcome = client.publish({ topic: 't', payload: new Uint8Array(0), qos: 2, retain: false, properties: {} }).then(result => { done = true; return result; });
  assert.deepEqual(socket.take(), ['3406000174000100']);
  socket.receive(encodeAcknowledge('pubrec', 1));
  assert.deepEqual(socket.take(), [hexOf(encodeAcknowledge('pubrel', 1))]);
  await Promise.resolve();
  assert.equal(done, false);
  socket.receive(encodeAcknowledge('pubcomp', 1));
  assert.deepEqual(await outcome, { code: 0, refusal: null });
  client.close();
});

test('QoS 2 in is heard once, however often it comes', () => {
  const { socket, client, heard } = connected();
  const publish = (dup: boolean) => socket.receive(encodePublish({ topic: 't', payload: new Uint8Array(1), qos: 2, retain: false, properties: {} }, 5, dup));
  publish(false);
  publish(true);
  assert.equal(heard.length, 1);
  assert.deepEqual(socket.take(), [hexOf(encodeAcknowledge('pubrec', 5)), hexOf(encodeAcknowledge('pubrec', 5))]);
  socket.receive(encodeAcknowledge('pubrel', 5));
  assert.deepEqual(socket.take(), [hexOf(encodeAcknowledge('pubcomp', 5))]);
  publish(false);
  assert.equal(heard.length, 2);
  client.close();
});

test('a refused publish ends with the cause, and the next goes on', async () => {
  const { socket, client } = connected();
  const refused = client.publish({ topic: 'x', payload: new Uint8Array(0), qos: 1, retain: false, properties: {} });
  const next = client.subscribe('a/#', 1, 1);
  assert.deepEqual(socket.take()[1], hexOf(encodeSubscribe(2, 'a/#', 1, 1)));
  socket.receive(encodeAcknowledge('puback', 1, 0x87));
  socket.receive(bytesOf('9004000200' + '01'));
  assert.deepEqual((await refused).refusal, { code: 0x87, text: 'not authorized (0x87)', user: [] });
  assert.deepEqual(await next, { code: 1, refusal: null });
  client.close();
});

test('an end rejects what waits, and is told once', async () => {
  const { socket, client, said } = connected();
  const waiting = client.publish({ topic: 'x', payload: new Uint8Array(0), qos: 1, retain: false, properties: {} });
  socket.receive(bytesOf('e00198'));
  await assert.rejects(waiting, /the broker ended the connection/);
  socket.onclose!({ code: 1006, reason: '' } as never);
  assert.deepEqual(said, ['connected ', 'ended by an administrator (0x98)']);
  assert.equal(socket.closed, true);
});

test('a refused CONNECT says why', () => {
  const socket = new FakeSocket();
  const said: string[] = [];
  new MqttClient(socket, { clientId: '' }, { connected: () => said.push('connected'), message: () => {}, ended: (_, refusal) => said.push(refusal!.text) });
  socket.open();
  socket.receive(bytesOf('2003008600'));
  assert.deepEqual(said, ['user or password is wrong (0x86)']);
});
