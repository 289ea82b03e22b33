// The small parts of every page.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { me, type NoAnswer, type Problem, silentSince } from '../lib/api';
import { announce } from '../lib/announce';
import { now } from '../lib/clock';
import { copyText } from '../lib/copy';
import { ago, clock, exact, type Maybe, short, UNKNOWN, visible } from '../lib/format';
import { utc } from '../lib/preferences';
import type { Resource } from '../lib/resource';

/** Text of others, with everything in it visible; cut in the middle where it is long, and whole in its title. */
export function Foreign({ text, longest }: { text: Maybe<string>; longest?: number }) {
  if (text == null) return <>{UNKNOWN}</>;
  if (text === '') return <span class="quiet">(empty)</span>;
  const cut = longest ? short(text, longest) : visible(text);
  return <bdi class="foreign" title={longest && [...text].length > longest ? short(text, 2000) : undefined}>{cut}</bdi>;
}

/** How long ago, with the moment itself in the title. */
export function Ago({ at }: { at: Maybe<string> }) {
  return <time dateTime={at ?? undefined} title={exact(at, utc.value)}>{ago(at, now.value)}</time>;
}

export function Clock({ at }: { at: Maybe<string | number> }) {
  return <time title={exact(at, utc.value)}>{clock(at, now.value, utc.value)}</time>;
}

export function Copy({ text, what }: { text: string; what: string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 2000);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async (event: Event) => {
    event.stopPropagation();
    if (await copyText(text)) setDone(true);
    else announce('This browser does not let the page copy.', 'bad');
  };
  return (
    <button type="button" class="copy" onClick={copy} aria-label={done ? 'Copied' : `Copy ${what}`} title={done ? 'Copied' : `Copy ${what}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">{done
        ? <path d="M3 8.5 6.5 12 13 4.5" />
        : <><rect x="5.5" y="5.5" width="8" height="8" rx="1.5" /><path d="M10.5 5.5v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2" /></>}</svg>
    </button>
  );
}

/** A line for a shell, to be copied. */
export function Command({ text }: { text: string }) {
  return <div class="command"><code>{text}</code><Copy text={text} what="command" /></div>;
}

export type Tone = 'good' | 'warn' | 'bad' | 'quiet';

/** A dot with a word: colour is never all there is. */
export function Status({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`status ${tone}`}><span class="dot" aria-hidden="true" />{children}</span>;
}

export function Tag({ tone = 'quiet', children }: { tone?: Tone; children: ComponentChildren }) {
  return <span class={`tag ${tone}`}>{children}</span>;
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <div class="empty">{children}</div>;
}

/** What is missing is told in the broker's own words; an end point it does not have is no fault of whoever looks. */
export function Failure({ problem, retry }: { problem: Problem; retry?: () => void }) {
  if (problem.kind === 'no-such-endpoint') {
    return <Empty><p>This broker does not have this. A newer one may.</p></Empty>;
  }
  return (
    <div class="failure" role="alert">
      <strong>{visible(problem.title)}</strong>
      {problem.detail && <p><Foreign text={problem.detail} /></p>}
      {problem.errors.length > 0 && <ErrorList errors={problem.errors} />}
      <p class="actions">
        {problem.needs && <span>It needs the role {visible(problem.needs)}; {visible(me.value?.user ?? 'nobody')} is {me.value?.role ?? 'not logged in'}.</span>}
        {retry && <button type="button" onClick={retry}>Try again</button>}
        {problem.requestId && <span class="quiet">request {visible(problem.requestId)} <Copy text={problem.requestId} what="request id" /></span>}
      </p>
    </div>
  );
}

export function ErrorList({ errors }: { errors: Problem['errors'] }) {
  return (
    <ul class="errors">
      {errors.map((error, i) => (
        <li key={i}>
          {error.file && <code>{visible(error.file)}{error.line ? `:${error.line}` : ''}{error.column ? `:${error.column}` : ''}</code>}{' '}
          {error.message && <Foreign text={error.message} />}
          {error.at && <><code>{visible(error.at)}</code> is {visible(error.is ?? '')}; expected: {visible(error.expected ?? '')}</>}
          {error.nearest && <> Did you mean <code>{visible(error.nearest)}</code>?</>}
        </li>
      ))}
    </ul>
  );
}

/** A problem or no answer, in one sentence. */
export function sentence(error: unknown): string {
  const problem = error as Problem | NoAnswer;
  if ('title' in problem) return visible(problem.detail || problem.title);
  return 'No answer came. Whether it was done is not known.';
}

/** Shown only once waiting is noticed. */
export function Skeleton({ rows = 4 }: { rows?: number }) {
  return <div class="skeleton" role="status" aria-label="Loading">{Array.from({ length: rows }, (_, i) => <div key={i} />)}</div>;
}

/** The states of what a page reads: first wait, problem, data that is dimmed while newer is on its way or does not come. */
export function View<T>({ of, everyMs = 5000, children }: { of: Resource<T>; everyMs?: number; children: (data: T) => ComponentChildren }) {
  if (of.data === undefined) {
    if (of.problem) return <Failure problem={of.problem} retry={of.reload} />;
    return <Skeleton />;
  }
  const age = now.value - of.at;
  const stale = everyMs !== Infinity && age > everyMs * 3 + 2000;
  return (
    <div class={stale || silentSince.value ? 'stale' : of.loading && age > 300 ? 'waiting' : ''}>
      {of.problem && <Failure problem={of.problem} retry={of.reload} />}
      {stale && <p class="quiet">Shown is <Clock at={of.at} />; nothing newer has come.</p>}
      {children(of.data)}
    </div>
  );
}

/** A name and its value, many of them. */
export function Facts({ rows }: { rows: readonly (readonly [string, ComponentChildren])[] }) {
  return <dl class="facts">{rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

export function Panel({ title, side, children, wide }: { title: string; side?: ComponentChildren; children: ComponentChildren; wide?: boolean }) {
  return (
    <section class={`panel${wide ? ' wide' : ''}`}>
      <header><h2>{title}</h2>{side && <div class="side">{side}</div>}</header>
      {children}
    </section>
  );
}

export function Tabs({ label, items, current }: { label: string; items: readonly { id: string; name: string; href: string }[]; current: string }) {
  return (
    <nav class="tabs" aria-label={label}>
      {items.map(item => <a key={item.id} href={item.href} aria-current={item.id === current ? 'page' : undefined}>{item.name}</a>)}
    </nav>
  );
}

export function Heading({ title, children }: { title: ComponentChildren; children?: ComponentChildren }) {
  return <div class="heading"><h1 tabIndex={-1}>{title}</h1>{children}</div>;
}
