import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asCurl, asEdgebroker, asMosquitto } from '../src/lib/copyas';
import { usersWithRole } from '../src/lib/logins';
import { errorOf, settingsOf } from '../src/lib/settings';
import { Tail } from '../src/lib/throttle';
import { bestForm, difference, fromBase64, numberOf, payloadOf, preview, show, toBase64 } from '../src/lib/value';

const text = (value: string) => new TextEncoder().encode(value);

test('a payload comes as text or base64', () => {
  assert.deepEqual(payloadOf({ payload: '21.5' }), text('21.5'));
  assert.deepEqual(payloadOf({ payload_base64: 'AP8=' }), Uint8Array.of(0, 255));
  assert.equal(payloadOf({}), null);
  assert.equal(toBase64(fromBase64('AP8=')), 'AP8=');
});

test('it is shown as what it is', () => {
  assert.equal(bestForm(text('{"a":1}')), 'json');
  assert.equal(bestForm(text('21.5')), 'text');
  assert.equal(bestForm(Uint8Array.of(0xff, 0xfe)), 'hex');
  assert.equal(show(text('a\u0007b'), 'text'), 'a\\x07b');
  assert.equal(preview(Uint8Array.of(0xff, 1)), '2 bytes: ff 01');
});

test('a number and its change', () => {
  assert.equal(numberOf(text(' 21.50 ')), 21.5);
  assert.equal(numberOf(text('0x10')), null);
  assert.equal(difference(text('21.5'), text('21.4')), '+0.1');
  assert.equal(difference(text('1'), text('1')), '±0');
  assert.equal(difference(text('on'), text('off')), '');
});

test('a flood is thinned, counted, and bounded', () => {
  const tail = new Tail<number>(500, 50);
  for (let second = 0; second < 40; second++) {
    for (let i = 0; i < 10_000; i++) tail.add(i, second * 1000 + i / 10);
  }
  assert.equal(tail.total, 400_000);
  assert.equal(tail.skipped, 400_000 - 40 * 50);
  assert.equal(tail.last.length, 500);
  assert.ok(tail.items.length <= 600);
});

test('lines for a terminal hold topic, value and properties, and no secret', () => {
  const sent = { topic: "it's/t", payload: text('a b'), qos: 1, retain: true, properties: [['k', 'v w']] as const };
  assert.equal(asEdgebroker(sent), "edgebroker pub -t 'it'\\''s/t' -m 'a b' -q 1 -r -D publish user-property k 'v w'");
  assert.equal(asMosquitto(sent, 'gw'), "mosquitto_pub -V 5 -h gw -t 'it'\\''s/t' -m 'a b' -q 1 -r -D publish user-property k 'v w'");
  assert.match(asCurl(sent, 'https://gw:8443'), /^curl -H 'Content-Type: application\/json' -d '\{.*\}' https:\/\/gw:8443\/publish$/);
});

test('who can log in stands in groups named as roles', () => {
  assert.deepEqual(usersWithRole({ group: [{ name: 'admin', users: ['anna'] }, { name: 'maintenance', users: ['bert'] }] }), ['anna']);
  assert.deepEqual(usersWithRole({ group: { value: [{ name: { value: 'viewer', from: 'broker.toml:3' }, users: { value: ['wall'], from: 'broker.toml:4' } }], from: 'x' } }), ['wall']);
  assert.deepEqual(usersWithRole({}), []);
  assert.deepEqual(usersWithRole(null), []);
});

test('settings are read however they are nested', () => {
  const rows = settingsOf({ mqtt: { max_qos: 2, tags: ['a', 'b'], size: { value: '16MB', from: 'broker.toml:12', needs_restart: true } }, listener: [{ address: '0.0.0.0:1883' }] });
  assert.deepEqual(rows.map(row => [row.key, row.value, row.from]), [
    ['mqtt.max_qos', 2, ''], ['mqtt.tags', ['a', 'b'], ''], ['mqtt.size', '16MB', 'broker.toml:12'], ['listener[0].address', '0.0.0.0:1883', ''],
  ]);
});

test('an error says its file, line and column', () => {
  assert.deepEqual(errorOf('/etc/edgebroker/broker.toml:33:7: no such key: "a:b"'), { file: '/etc/edgebroker/broker.toml', line: 33, column: 7, message: 'no such key: "a:b"' });
  assert.deepEqual(errorOf('no listener'), { message: 'no listener' });
});
