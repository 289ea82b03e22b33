// What stands around every page: name, search, how the broker is, who is logged in, and the ways to the pages.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, me, silentSince } from '../lib/api';
import { announce, dismiss, notice } from '../lib/announce';
import { now } from '../lib/clock';
import { duration, plural } from '../lib/format';
import { go, parameter, route } from '../lib/navigate';
import { shortcuts, theme, type Theme, utc } from '../lib/preferences';
import { link } from '../lib/route';
import { streamState } from '../lib/stream';
import { lastAnswerAt } from '../lib/api';
import { disconnect } from '../workbench';
import { newerConsole, overview, restarted } from '../state';
import { Clock, Foreign, Status, type Tone } from './basics';
import { Dialog } from './dialog';

export const PAGES: readonly { id: string; name: string }[] = [
  { id: 'overview', name: 'Overview' },
  { id: 'clients', name: 'Clients' },
  { id: 'topics', name: 'Topics' },
  { id: 'workbench', name: 'Workbench' },
  { id: 'queues', name: 'Queues' },
  { id: 'bridges', name: 'Bridges' },
  { id: 'cluster', name: 'Cluster' },
  { id: 'access', name: 'Access' },
  { id: 'log', name: 'Log' },
  { id: 'system', name: 'System' },
];

const ON_PHONE = ['overview', 'clients', 'topics', 'workbench'];

/** The word and the colour of how the broker is. */
export function healthOf(): { tone: Tone; word: string } {
  if (silentSince.value) return { tone: 'bad', word: 'no answer' };
  const data = overview.value.data;
  if (!data) return { tone: 'quiet', word: '…' };
  const problems = data.problems?.length ?? 0;
  if (data.health.status === 'failing') return { tone: 'bad', word: plural(Math.max(1, problems), 'problem') };
  if (problems > 0 || data.health.status === 'warning') return { tone: 'warn', word: plural(Math.max(1, problems), 'warning') };
  return { tone: 'good', word: 'good' };
}

export function Frame({ page, children }: { page: string; children: ComponentChildren }) {
  const [menu, setMenu] = useState<'user' | 'more' | 'help' | null>(null);
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.key === 'Escape') setMenu(null);
      if (!shortcuts.value || event.ctrlKey || event.metaKey || event.altKey) return;
      if ((event.target as HTMLElement).closest('input, textarea, select, dialog')) return;
      if (event.key === '/') {
        event.preventDefault();
        search.current?.focus();
      } else if (event.key === '?') setMenu('help');
    };
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  }, []);
  useEffect(() => setMenu(null), [route.value]);
  const health = healthOf();
  const node = overview.value.data?.node;
  const find = (event: Event) => {
    event.preventDefault();
    const text = search.current?.value.trim() ?? '';
    if (text !== '') go(text.includes('/') && !text.includes('.') ? ['topics'] : ['clients'], { q: text });
    search.current?.blur();
  };
  return (
    <>
      <a class="skip" href="#main" onClick={event => { event.preventDefault(); document.querySelector<HTMLElement>('main h1')?.focus(); }}>Skip to the content</a>
      <header class="bar">
        <a class="brand" href={link(['overview'])}><Logo /><span>EdgeBroker</span>{node && <b><Foreign text={node} longest={24} /></b>}</a>
        <form class="search" role="search" onSubmit={find}>
          <input ref={search} type="search" aria-label="Search client, topic, address" placeholder="Search client, topic, address" defaultValue={parameter('q')} autocomplete="off" spellcheck={false} />
          {shortcuts.value && <kbd aria-hidden="true">/</kbd>}
        </form>
        <a class="health" href={link(['problems'])} aria-label={`How the broker is: ${health.word}`}><Status tone={health.tone}>{health.word}</Status></a>
        <button type="button" class="user" aria-expanded={menu === 'user'} aria-haspopup="dialog" onClick={() => setMenu('user')} aria-label={`${me.value?.user}: settings and log out`}>
          <Foreign text={me.value?.user} longest={16} /><span aria-hidden="true"> ▾</span>
        </button>
      </header>
      <nav class="pages" aria-label="Pages">
        {PAGES.map(item => (
          <a key={item.id} href={link([item.id])} class={ON_PHONE.includes(item.id) ? '' : 'rest'} aria-current={item.id === page ? 'page' : undefined}>{item.name}</a>
        ))}
        <button type="button" class="more" aria-haspopup="dialog" aria-current={ON_PHONE.includes(page) ? undefined : 'page'} onClick={() => setMenu('more')}>More</button>
      </nav>
      <Banners />
      <main id="main" inert={false}>{children}</main>
      <footer>
        <span>updated <Clock at={lastAnswerAt.value || null} /></span>
        <span>{streamState.value === 'live' ? 'live' : 'every 5 s'}</span>
      </footer>
      <div class="live" role="status" aria-live="polite">{notice.value && <Toast />}</div>
      {menu === 'more' && (
        <Dialog title="Pages" onClose={() => setMenu(null)}>
          <ul class="menu">{PAGES.map(item => <li key={item.id}><a href={link([item.id])} aria-current={item.id === page ? 'page' : undefined}>{item.name}</a></li>)}
            <li><a href={link(['problems'])}>Problems</a></li></ul>
        </Dialog>
      )}
      {menu === 'user' && <UserMenu onClose={() => setMenu(null)} />}
      {menu === 'help' && <Help onClose={() => setMenu(null)} />}
    </>
  );
}

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" /><path d="M7 10h6l6 12h6M7 22h6M19 10h6" />
    </svg>
  );
}

function Toast() {
  const { text, kind, undo } = notice.value!;
  return (
    <div class={`toast ${kind}`}>
      <span>{text}</span>
      {undo && <button type="button" onClick={() => { dismiss(); undo(); }}>Undo</button>}
      <button type="button" class="link" aria-label="Dismiss" onClick={dismiss}>×</button>
    </div>
  );
}

function Banners() {
  const silent = silentSince.value;
  const node = overview.value.data?.node ?? location.hostname;
  const back = restarted.value;
  return (
    <>
      {silent !== null && (
        <p class="banner bad" role="alert">
          No answer from <Foreign text={node} longest={40} /> for {duration(Math.max(1, (now.value - silent) / 1000))}.
          {lastAnswerAt.value > 0 && <> Shown is <Clock at={lastAnswerAt.value} />.</>} Nothing can be done until it answers; it is asked again and again.
        </p>
      )}
      {back && <p class="banner">The broker restarted at <Clock at={back.at} /> (it had been up {duration(back.wasUpSeconds)}); its counters began anew. <button type="button" class="link" onClick={() => (restarted.value = null)}>Understood</button></p>}
      {newerConsole.value && <p class="banner">The broker was upgraded, and brings a newer console. <button type="button" onClick={() => location.reload()}>Reload</button></p>}
      {location.protocol === 'http:' && !/^(localhost|127\.|\[::1\])/.test(location.hostname) && (
        <p class="banner warn">This page came over plain http: who listens in on the network reads it, and the password. Use an https listener.</p>
      )}
    </>
  );
}

function UserMenu({ onClose }: { onClose: () => void }) {
  const user = me.value;
  const leave = async () => {
    try {
      await ask('logout', { method: 'POST' });
    } catch {
      announce('The broker did not answer; the login ends there by itself.', 'bad');
    }
    disconnect();
    me.value = null;
  };
  return (
    <Dialog title="This console" onClose={onClose}>
      <p><b><Foreign text={user?.user} /></b> is logged in as {user?.role}.{user?.ends_at && <> The login ends at <Clock at={user.ends_at} />.</>}</p>
      <fieldset class="choice"><legend>Colours</legend>
        {(['system', 'light', 'dark'] as Theme[]).map(value => (
          <label key={value}><input type="radio" name="theme" checked={theme.value === value} onChange={() => (theme.value = value)} /> {value}</label>
        ))}
      </fieldset>
      <fieldset class="choice"><legend>Times</legend>
        <label><input type="radio" name="utc" checked={!utc.value} onChange={() => (utc.value = false)} /> local</label>
        <label><input type="radio" name="utc" checked={utc.value} onChange={() => (utc.value = true)} /> UTC</label>
      </fieldset>
      <fieldset class="choice"><legend>Keys</legend>
        <label><input type="checkbox" checked={shortcuts.value} onChange={event => (shortcuts.value = event.currentTarget.checked)} /> / searches, ? helps</label>
      </fieldset>
      <div class="buttons"><button type="button" onClick={onClose}>Close</button><button type="button" class="primary" onClick={leave}>Log out</button></div>
    </Dialog>
  );
}

function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="facts">
        <div><dt><kbd>/</kbd></dt><dd>search</dd></div>
        <div><dt><kbd>?</kbd></dt><dd>this help</dd></div>
        <div><dt><kbd>↑</kbd> <kbd>↓</kbd></dt><dd>from row to row in lists and trees</dd></div>
        <div><dt><kbd>→</kbd> <kbd>←</kbd></dt><dd>open and close a branch</dd></div>
        <div><dt><kbd>Enter</kbd></dt><dd>open</dd></div>
        <div><dt><kbd>Esc</kbd></dt><dd>close</dd></div>
      </dl>
      <div class="buttons"><button type="button" onClick={onClose}>Close</button></div>
    </Dialog>
  );
}
