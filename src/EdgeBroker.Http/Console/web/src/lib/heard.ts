// What was heard of topics while the page listens: a tree of their levels with the last values of each, bounded.
export interface Heard {
  id: number;
  at: number;
  data: Uint8Array;
  qos: number;
  retain: boolean;
}

export interface TopicNode {
  name: string;
  topic: string;
  children: Map<string, TopicNode>;
  /** Topics at and below it. */
  topics: number;
  /** Messages at and below it. */
  count: number;
  values: Heard[];
  recent: number[];
}

const KEPT_VALUES = 20;
const KEPT_BYTES = 1024;
/** Rates are those of so many seconds. */
const WINDOW = 10;

function make(name: string, topic: string): TopicNode {
  return { name, topic, children: new Map(), topics: 0, count: 0, values: [], recent: [] };
}

export class TopicMemory {
  root = make('', '');
  /** Topics that had no more room. */
  left = 0;
  private lastId = 0;
  private second = 0;

  constructor(private readonly mostTopics = 2000) {}

  add(topic: string, data: Uint8Array, qos: number, retain: boolean, at: number): void {
    const path = [this.root];
    let node = this.root;
    const isKnown = this.find(topic)?.values.length;
    if (!isKnown && this.root.topics >= this.mostTopics) {
      this.left++;
      return;
    }
    const levels = topic.split('/');
    levels.forEach((name, i) => {
      let next = node.children.get(name);
      if (!next) node.children.set(name, (next = make(name, levels.slice(0, i + 1).join('/'))));
      path.push((node = next));
    });
    // A copy of the beginning: the whole of a large message would be held by its first bytes.
    node.values = [...node.values, { id: ++this.lastId, at, data: data.slice(0, KEPT_BYTES), qos, retain }].slice(-KEPT_VALUES);
    this.second = Math.max(this.second, Math.floor(at / 1000));
    for (const one of path) {
      if (!isKnown) one.topics++;
      one.count++;
      one.recent.push(this.second);
      if (one.recent.length > 5000) one.recent = one.recent.slice(-2500);
    }
  }

  find(topic: string): TopicNode | undefined {
    let node: TopicNode | undefined = this.root;
    for (const name of topic.split('/')) node = node?.children.get(name);
    return node;
  }

  /** Every topic with a value whose name holds a text. */
  search(text: string, most: number): TopicNode[] {
    const found: TopicNode[] = [];
    const wanted = text.toLowerCase();
    const look = (node: TopicNode) => {
      if (found.length >= most) return;
      if (node.values.length > 0 && node.topic.toLowerCase().includes(wanted)) found.push(node);
      node.children.forEach(look);
    };
    look(this.root);
    return found;
  }
}

/** Messages a second, lately. */
export function rateOf(node: TopicNode, nowMs: number): number {
  const from = Math.floor(nowMs / 1000) - WINDOW;
  while (node.recent.length > 0 && node.recent[0]! < from) node.recent.shift();
  return node.recent.length / WINDOW;
}
