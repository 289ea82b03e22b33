import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Course } from '../src/lib/course';
import { rateOf, TopicMemory } from '../src/lib/heard';

const text = (value: string) => new TextEncoder().encode(value);

test('topics are a tree, and odd levels are levels', () => {
  const memory = new TopicMemory();
  for (const topic of ['a/b', 'a/c', '/x', 'a//b', 'constructor/__proto__']) memory.add(topic, text('1'), 0, false, 1000);
  assert.equal(memory.root.topics, 5);
  assert.equal(memory.root.children.get('a')!.topics, 3);
  assert.equal(memory.find('a//b')!.topic, 'a//b');
  assert.equal(memory.find('/x')!.values.length, 1);
  assert.equal(memory.find('constructor/__proto__')!.values.length, 1);
  assert.equal(memory.find('a/d'), undefined);
  assert.deepEqual(memory.search('B', 9).map(node => node.topic), ['a/b', 'a//b']);
});

test('the last twenty values are kept, and of each a kilobyte', () => {
  const memory = new TopicMemory();
  for (let i = 0; i < 100; i++) memory.add('t', new Uint8Array(5000), 1, false, i);
  const node = memory.find('t')!;
  assert.equal(node.values.length, 20);
  assert.equal(node.values[0]!.data.length, 1024);
  assert.equal(node.values[0]!.data.buffer.byteLength, 1024);
  assert.equal(node.count, 100);
  assert.equal(node.topics, 1);
});

test('a flood of topics is bounded and counted', () => {
  const memory = new TopicMemory(10);
  for (let i = 0; i < 25; i++) memory.add(`t/${i}`, text(''), 0, false, 0);
  assert.equal(memory.root.topics, 10);
  assert.equal(memory.left, 15);
  memory.add('t/1', text('x'), 0, false, 0);
  assert.equal(memory.find('t/1')!.values.length, 2);
});

test('a rate is that of the last seconds', () => {
  const memory = new TopicMemory();
  for (let i = 0; i < 40; i++) memory.add('t', text(''), 0, false, 100_000 + i * 250);
  assert.equal(rateOf(memory.find('t')!, 110_000), 4);
  assert.equal(rateOf(memory.find('t')!, 130_000), 0);
});

test('the course has a gap where nobody looked', () => {
  const course = new Course();
  const say = (connected_count: number) => ({ health: { status: 'good' as const }, connected_count });
  course.add(say(1), 1000);
  course.add(say(2), 1500);
  course.add(say(3), 3000);
  course.add(say(4), 90_000);
  assert.deepEqual(course.values.clients, [1, 3, null, 4]);
  assert.deepEqual(course.times, [1, 3, 4, 90]);
  for (let i = 0; i < 1000; i++) course.add(say(i), 100_000 + i * 1000);
  assert.equal(course.times.length, 300);
  course.clear();
  assert.deepEqual([course.times.length, course.values.in.length], [0, 0]);
});
