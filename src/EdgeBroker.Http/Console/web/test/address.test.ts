import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode, queryText, resource, travelsInPath } from '../src/lib/address';
import { link, parse, withQuery } from '../src/lib/route';

const ODD = ['a/b%2F+#', '..', '.', '<img onerror=x>', '\u05e9\u05dc\u05d5\u05dd', 'plant/press 7%', '%252F', "!'()*", 'x'.repeat(1024), '😀', '?a=b&c', '//'];

test('a client id is one segment, decoded once', () => {
  assert.equal(encode('plant/press 7%'), 'plant%2Fpress%207%25');
  assert.equal(encode('a+b#'), 'a%2Bb%23');
  for (const id of ODD) {
    const text = encode(id);
    assert.equal(decodeURIComponent(text), id);
    assert.match(text, /^[A-Za-z0-9%._~-]+$/);
  }
});

test('an address that a browser would change travels in the query', () => {
  for (const id of ODD) {
    const address = `/api/v1/${resource('sessions', id)}`;
    const parsed = new URL(address, 'http://127.0.0.1');
    assert.equal(parsed.pathname + parsed.search, address);
    const found = parsed.searchParams.get('client_id') ?? decodeURIComponent(parsed.pathname.slice('/api/v1/sessions/'.length));
    assert.equal(found, id);
  }
  assert.equal(travelsInPath('..'), false);
  assert.equal(resource('retained', '..', { forget: true }), 'retained?topic=..&forget=true');
});

test('a plus in a filter stays one in a query', () => {
  assert.equal(queryText({ filter: 'a/+/b', q: '', none: null, limit: 5 }), '?filter=a%2F%2B%2Fb&limit=5');
});

test('every view is a link that leads back to it', () => {
  for (const id of ODD) {
    const route = parse(link(['clients', id], { tab: 'queue', q: id }));
    assert.deepEqual(route.path, ['clients', id]);
    assert.equal(route.query.get('q'), id);
    assert.equal(route.query.get('tab'), 'queue');
  }
});

test('a link that somebody mistyped is no end of the page', () => {
  assert.deepEqual(parse('#/clients/%zz').path, ['clients', '%zz']);
  assert.deepEqual(parse('').path, []);
  assert.deepEqual(parse('#/').path, []);
  assert.equal(parse('#/log?q').query.get('q'), '');
});

test('a setting changes alone', () => {
  const route = parse('#/clients?q=x&sort=-queue_messages');
  assert.equal(withQuery(route, { q: null }), '#/clients?sort=-queue_messages');
  assert.equal(withQuery(route, { state: 'connected' }), '#/clients?q=x&sort=-queue_messages&state=connected');
});
