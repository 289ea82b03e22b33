import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, bytes, clock, count, duration, hex, measure, prettyJson, rate, shellWord, short, UNKNOWN, utf8, visible, visibleLines } from '../src/lib/format';

test('numbers are grouped, and what is not known is no nought', () => {
  assert.equal(count(1204), '1,204');
  assert.equal(count(null), UNKNOWN);
  assert.equal(measure(0), '0');
  assert.equal(measure(9.94), '9.9');
  assert.equal(measure(9.96), '10');
  assert.equal(measure(0.01), '<0.1');
  assert.equal(rate(undefined), UNKNOWN);
  assert.equal(rate(3918.4), '3,918/s');
});

test('sizes count in 1,024, as the configuration does', () => {
  assert.equal(bytes(54_784), '53.5 KB');
  assert.equal(bytes(1023), '1,023 B');
  assert.equal(bytes(1024 * 1024 - 1), '1 MB');
  assert.equal(bytes(2 * 1024 ** 3), '2 GB');
  assert.equal(bytes(0), '0 B');
});

test('durations have two units at most', () => {
  assert.equal(duration(0.25), '250 ms');
  assert.equal(duration(59.9), '59 s');
  assert.equal(duration(7860), '2 h 11 min');
  assert.equal(duration(86_400 * 3 + 3600 * 4), '3 d 4 h');
  assert.equal(duration(54 * 3600), '2 d 6 h');
  assert.equal(duration(86_400 * 1234), '1,234 d');
});

test('a moment is told by its distance, or by the clock', () => {
  const now = Date.parse('2026-11-29T09:31:45Z');
  assert.equal(ago('2026-11-29T09:28:45Z', now), '3 min ago');
  assert.equal(ago('2026-11-29T09:31:44.5Z', now), 'now');
  assert.equal(ago('2026-11-29T09:32:09Z', now), 'in 24 s');
  assert.equal(ago('nonsense', now), UNKNOWN);
  assert.equal(clock('2026-11-29T09:12:04Z', now, true), '09:12:04');
  assert.equal(clock('2026-11-28T09:12:04Z', now, true), '2026-11-28 09:12:04');
});

test('control characters, directions and halves of pairs are seen', () => {
  assert.equal(visible('a\u001b[31mb\u0000\u0085'), 'a\\x1b[31mb\\x00\\x85');
  assert.equal(visible('\u202eevil\u200b\ufeff\u2028'), '\\u202eevil\\u200b\\ufeff\\u2028');
  assert.equal(visible('\ud800x'), '\\ud800x');
  assert.equal(visible('grüße 😀 <img onerror=x>'), 'grüße 😀 <img onerror=x>');
  assert.equal(visible('\u{e0041}'), '\\u{e0041}');
  assert.equal(visibleLines('a\tb\nc\rd'), 'a\tb\nc\\x0dd');
});

test('no character that moves or hides others is left by it', () => {
  for (let code = 0; code < 0x3000; code++) {
    const seen = visible(String.fromCharCode(code));
    assert.match(seen, /^[^\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+$/u, code.toString(16));
  }
});

test('long text keeps both ends', () => {
  assert.equal(short('abcdefghij', 5), 'abc…j');
  assert.equal(short('abc', 5), 'abc');
  assert.equal([...short('😀'.repeat(50), 10)].length, 10);
});

test('bytes are read as text, JSON or hex', () => {
  assert.equal(utf8(Uint8Array.of(0xff)), null);
  assert.equal(utf8(new TextEncoder().encode('ü')), 'ü');
  assert.equal(hex(Uint8Array.of(0x41, 0, 0xff)), `0000  ${'41 00 ff'.padEnd(47)}  A..`);
  assert.equal(prettyJson('{"a":1}'), '{\n  "a": 1\n}');
  assert.equal(prettyJson('21.5'), null);
  assert.equal(prettyJson('{broken'), null);
});

test('a shell reads the word that was meant', () => {
  assert.equal(shellWord('plant/t'), 'plant/t');
  assert.equal(shellWord("it's $HOME"), "'it'\\''s $HOME'");
  assert.equal(shellWord('a\nb'), "$'\\x61\\x0a\\x62'");
});
