// The tail of the log, and how much is written there.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, may, Problem } from '../lib/api';
import { announce } from '../lib/announce';
import { queryText } from '../lib/address';
import { copyText } from '../lib/copy';
import { duration, exact, plural, visible } from '../lib/format';
import { adjust, parameter } from '../lib/navigate';
import { utc } from '../lib/preferences';
import { link } from '../lib/route';
import { useResource } from '../lib/resource';
import { hear } from '../lib/stream';
import type { LogLine, Page } from '../lib/types';
import { Clock, Empty, Foreign, Heading, Panel, sentence, View } from '../ui/basics';

const LEVELS = ['debug', 'info', 'warning', 'error', 'critical'];
const KEPT = 1000;
const COPIED = 200;

/** A line as text, for whoever is asked to help. */
export function plainLine(line: LogLine, inUtc: boolean): string {
  return `${exact(line.at, inUtc)} ${line.level} ${line.area ?? ''} ${line.event ?? ''} ${visible(line.text)}`.replace(/ +/g, ' ');
}

export function Log() {
  const level = LEVELS.includes(parameter('level')) ? parameter('level') : 'info';
  const area = parameter('area');
  const q = parameter('q');
  const list = useResource<Page<LogLine>>(`log${queryText({ level, area, q, limit: 500 })}`, 2000);
  const [paused, setPaused] = useState<readonly LogLine[] | null>(null);
  const [passed, setPassed] = useState(0);
  const [pushed, setPushed] = useState<readonly LogLine[]>([]);
  const halted = useRef(false);
  halted.current = paused !== null;
  useEffect(() => setPushed([]), [level, area, q, list.at]);
  useEffect(() => hear(`log:${level}`, data => {
    const lines = (Array.isArray(data) ? data : [data]) as LogLine[];
    const wanted = lines.filter(line => (area === '' || line.area === area) && (q === '' || line.text.toLowerCase().includes(q.toLowerCase())));
    if (halted.current) setPassed(count => count + wanted.length);
    setPushed(before => [...before, ...wanted].slice(-KEPT));
  }), [level, area, q]);
  const known = list.data?.items ?? [];
  const seen = new Set(known.map(line => line.id));
  const lines = paused ?? [...known, ...pushed.filter(line => !seen.has(line.id))].sort((a, b) => b.id - a.id);
  const areas = [...new Set(known.map(line => line.area).filter((one): one is string => !!one))].sort();
  if (area !== '' && !areas.includes(area)) areas.push(area);
  const copy = async () => {
    const text = lines.slice(0, COPIED).reverse().map(line => plainLine(line, utc.value)).join('\n');
    if (await copyText(text)) announce(`${plural(Math.min(COPIED, lines.length), 'line')} copied`);
  };
  return (
    <>
      <Heading title="Log" />
      <form class="filters" onSubmit={event => event.preventDefault()}>
        <label class="field"><span>Level</span><select value={level} onChange={event => adjust({ level: event.currentTarget.value })}>{LEVELS.map(one => <option key={one} value={one}>{one} and above</option>)}</select></label>
        <label class="field"><span>Area</span><select value={area} onChange={event => adjust({ area: event.currentTarget.value })}><option value="">all</option>{areas.map(one => <option key={one} value={one}>{visible(one)}</option>)}</select></label>
        <label class="field grow"><span>Search</span><input type="search" value={q} onInput={event => adjust({ q: event.currentTarget.value })} autocomplete="off" spellcheck={false} /></label>
        <button type="button" aria-pressed={paused !== null} onClick={() => { setPaused(paused ? null : lines); setPassed(0); }}>{paused ? `Go on${passed > 0 ? ` (${passed} passed)` : ''}` : 'Pause'}</button>
        <button type="button" onClick={copy}>Copy {COPIED} lines</button>
      </form>
      <View of={list} everyMs={2000}>{() => lines.length === 0
        ? <Empty><p>No such line among the last that the broker keeps.{(q !== '' || area !== '') && <> <button type="button" class="link" onClick={() => adjust({ q: null, area: null })}>Clear</button></>}</p></Empty>
        : (
          <ol class="log" aria-label="Log lines, the newest first" tabIndex={0}>
            {lines.slice(0, 500).map(line => (
              <li key={line.id} class={visible(line.level)}>
                <Clock at={line.at} /><span class="level">{visible(line.level)}</span><span class="area">{visible(line.area ?? '')}</span>
                <span class="said"><Foreign text={line.text} />{line.client_id && <> <a href={link(['clients', line.client_id])}>client</a></>}</span>
              </li>
            ))}
          </ol>
        )}
      </View>
      <Levels />
    </>
  );
}

interface LevelAnswer {
  level: string;
  configured: string;
  until_seconds?: number | null;
  areas?: { area: string; level: string; is_own: boolean }[];
}

function Levels() {
  const now = useResource<LevelAnswer>('log/levels', 10_000);
  const [level, setLevel] = useState('debug');
  const [area, setArea] = useState('');
  const [running, setRunning] = useState(false);
  const set = async (event: Event) => {
    event.preventDefault();
    setRunning(true);
    try {
      await ask('log/levels', { method: 'PUT', body: { level, until_seconds: 600, ...(area && { area }) }, headers: now.etag ? { 'If-Match': now.etag } : {} });
      announce(`${area || 'The log'}: ${level} and above for 10 min`);
    } catch (error) {
      announce(error instanceof Problem && error.status === 412 ? 'Somebody changed the level meanwhile; look and try again.' : sentence(error), 'bad');
    }
    now.reload();
    setRunning(false);
  };
  return (
    <Panel title="How much is written">
      <View of={now} everyMs={10_000}>{data => (
        <>
          <p class="sentence">{visible(data.level)} and above{data.until_seconds != null && <>, for {duration(data.until_seconds)} more; then {visible(data.configured)} again</>}{data.areas?.filter(one => one.is_own).map(one => `; ${one.area}: ${one.level}`)}.</p>
          {may('operator') && (
            <form class="filters" onSubmit={set}>
              <label class="field"><span>Write for 10 min</span><select value={level} onChange={event => setLevel(event.currentTarget.value)}>{LEVELS.slice(0, 4).map(one => <option key={one} value={one}>{one} and above</option>)}</select></label>
              {data.areas?.length ? <label class="field"><span>of</span><select value={area} onChange={event => setArea(event.currentTarget.value)}><option value="">all areas</option>{data.areas.map(one => <option key={one.area} value={one.area}>{one.area}</option>)}</select></label> : null}
              <button type="submit" disabled={running}>{running ? 'Setting…' : 'Set'}</button>
            </form>
          )}
        </>
      )}</View>
    </Panel>
  );
}
