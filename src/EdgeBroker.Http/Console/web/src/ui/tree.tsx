// The tree of topics.
import { useEffect, useState } from 'preact/hooks';
import { now } from '../lib/clock';
import { plural, rate, short } from '../lib/format';
import { rateOf, type TopicNode } from '../lib/heard';
import { preview } from '../lib/value';
import { Foreign } from './basics';

interface Props {
  root: TopicNode;
  selected: string | null;
  onSelect: (topic: string) => void;
}

const SHOWN = 300;

export function TopicTree({ root, selected, onSelect }: Props) {
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set(ancestors(selected)));
  const [focus, setFocus] = useState<string | null>(selected);
  useEffect(() => {
    const missing = ancestors(selected).filter(prefix => !open.has(prefix));
    if (missing.length > 0) setOpen(new Set([...open, ...missing]));
  }, [selected]);
  const toggle = (topic: string, to = !open.has(topic)) => {
    const next = new Set(open);
    if (to) next.add(topic);
    else next.delete(topic);
    setOpen(next);
  };
  const key = (event: KeyboardEvent) => {
    const item = (event.target as HTMLElement).closest<HTMLElement>('[role=treeitem]');
    if (!item) return;
    const all = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('[role=treeitem]')];
    const at = all.indexOf(item);
    const topic = item.dataset.topic!;
    const expanded = item.getAttribute('aria-expanded');
    const acts: Record<string, () => HTMLElement | null | undefined | void> = {
      ArrowDown: () => all[at + 1],
      ArrowUp: () => all[at - 1],
      Home: () => all[0],
      End: () => all.at(-1),
      ArrowRight: () => (expanded === 'false' ? toggle(topic, true) : expanded === 'true' ? all[at + 1] : undefined),
      ArrowLeft: () => (expanded === 'true' ? toggle(topic, false) : item.parentElement?.closest<HTMLElement>('[role=treeitem]')),
      Enter: () => onSelect(topic),
      ' ': () => onSelect(topic),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    const next = act();
    if (next) {
      next.focus();
      setFocus(next.dataset.topic!);
    }
  };
  const first = focus !== null && root.children.has(focus.split('/')[0]!) ? focus : root.children.values().next().value?.topic ?? null;
  return (
    <ul role="tree" aria-label="Topics" class="tree" onKeyDown={key}>
      <Branch node={root} {...{ open, toggle, selected, onSelect, focus: first }} />
    </ul>
  );
}

function ancestors(topic: string | null): string[] {
  if (topic === null) return [];
  const levels = topic.split('/');
  return levels.slice(0, -1).map((_, i) => levels.slice(0, i + 1).join('/'));
}

interface BranchProps extends Omit<Props, 'root'> {
  node: TopicNode;
  open: ReadonlySet<string>;
  toggle: (topic: string, to?: boolean) => void;
  focus: string | null;
}

function Branch(props: BranchProps) {
  const { node, open, toggle, selected, onSelect, focus } = props;
  const all = [...node.children.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return (
    <>
      {all.slice(0, SHOWN).map(child => {
        const branch = child.children.size > 0;
        const last = child.values.at(-1);
        return (
          <li
            key={child.name} role="treeitem" data-topic={child.topic} aria-expanded={branch ? open.has(child.topic) : undefined} aria-selected={child.topic === selected}
            tabIndex={child.topic === focus ? 0 : -1}
          >
            <div class="branch" onClick={() => (last || !branch ? onSelect(child.topic) : toggle(child.topic))}>
              <span class="twist" aria-hidden="true" onClick={event => { if (branch) { event.stopPropagation(); toggle(child.topic); } }}>{branch ? (open.has(child.topic) ? '▾' : '▸') : ''}</span>
              <span class="name"><Foreign text={child.name} longest={60} /></span>
              {last && <span class="value"><Foreign text={short(preview(last.data, 24), 24)} /></span>}
              {last?.retain && <span class="tag" title="retained">R</span>}
              {branch && <span class="quiet number">{plural(child.topics, 'topic')}</span>}
              <span class="number rate">{rate(rateOf(child, now.value))}</span>
            </div>
            {branch && open.has(child.topic) && <ul role="group"><Branch {...props} node={child} /></ul>}
          </li>
        );
      })}
      {all.length > SHOWN && <li role="none" class="quiet">and {all.length - SHOWN} more: search for them</li>}
    </>
  );
}
