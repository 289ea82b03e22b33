// The configuration: what runs, what the files say now, and how one becomes the other.
import { useState } from 'preact/hooks';
import { ask, type FieldError, Problem } from '../lib/api';
import { announce } from '../lib/announce';
import { plural, visible } from '../lib/format';
import { adjust, parameter } from '../lib/navigate';
import { useResource } from '../lib/resource';
import { errorOf, type Setting, settingsOf } from '../lib/settings';
import { Clock, Empty, ErrorList, Failure, Foreign, Panel, sentence, Status, View } from '../ui/basics';
import { Ask, type Question } from '../ui/dialog';
import type { Json } from '../ui/members';
import type { ConfigCheck, ReloadEntry, ReloadResult } from '../lib/types';
import { Table } from '../ui/table';

export function Configuration() {
  return (
    <>
      <Reload />
      <Effective />
    </>
  );
}

interface Checked {
  etag: string | null;
  errors: FieldError[];
  answer: ConfigCheck | null;
}

function Reload() {
  const reloads = useResource<ReloadEntry[]>('config/changes', 5000);
  const [check, setCheck] = useState<Checked | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [running, setRunning] = useState(false);
  const [question, setQuestion] = useState<Question | null>(null);
  const run = async () => {
    setRunning(true);
    setProblem(null);
    setCheck(null);
    try {
      const { body, etag } = await ask<ConfigCheck>('config/check', { method: 'POST', body: {} });
      setCheck({ etag, errors: (body.errors ?? []).map(errorOf), answer: body });
    } catch (error) {
      if (error instanceof Problem && error.kind === 'config-invalid') refuse(error);
      else if (error instanceof Problem) setProblem(error);
      else announce(sentence(error), 'bad');
    }
    setRunning(false);
  };
  const refuse = (error: Problem) => setCheck({ etag: null, errors: error.errors.length > 0 ? error.errors : [{ message: error.detail }], answer: null });
  const reload = () => setQuestion({
    title: 'Reload',
    text: <p>The broker takes over what the files say. Clients stay connected, except those that the new rules do not let in.</p>,
    action: 'Reload',
    run: async () => {
      try {
        const result = (await ask<ReloadResult>('reload', { method: 'POST', headers: check?.etag ? { 'If-Match': check.etag } : {} })).body;
        announce(result.summary ? visible(result.summary) : 'Reloaded');
        setCheck(null);
      } catch (error) {
        if (!(error instanceof Problem) || (error.status !== 412 && error.kind !== 'config-invalid')) throw error;
        if (error.status === 412) setCheck(null);
        else refuse(error);
        announce(error.status === 412 ? 'The files changed since the check.' : 'The files have errors; nothing was changed.', 'bad');
      }
      reloads.reload();
    },
  });
  const passed = check !== null && check.errors.length === 0;
  const answer = check?.answer;
  return (
    <Panel title="Files and what runs" side={
      <>
        <button type="button" disabled={running} onClick={run}>{running ? 'Checking…' : 'Check'}</button>
        <button type="button" class="primary" disabled={!passed} onClick={reload}>Reload</button>
      </>
    }>
      <div role="status">
        {!check && !problem && <p class="quiet">Check reads the files and says what is wrong with them, and what a reload would change.</p>}
        {check && (passed
          ? <p><Status tone="good">No errors. {(answer?.changes?.length ?? 0) + (answer?.restart_needed?.length ?? 0) === 0 ? 'The files say what runs.' : 'Reload takes the files over.'}</Status></p>
          : <><p><Status tone="bad">{plural(check.errors.length, 'error')}; nothing is reloaded until the files are right.</Status></p><ErrorList errors={check.errors} /></>)}
        <Lines title="A reload changes" lines={answer?.changes} />
        <Lines title="After a restart only" lines={answer?.restart_needed} />
        <Lines title="Warnings" lines={answer?.warnings} />
        {problem && <Failure problem={problem} retry={run} />}
      </div>
      <details><summary>Last reloads</summary>
        <View of={reloads}>{list => list.length === 0 ? <p class="quiet">None was asked for here since the broker started.</p> : (
          <ul class="plain">{list.map(one => (
            <li key={one.at}><Clock at={one.at} />{one.by && <> by <Foreign text={one.by} /></>}: <Foreign text={one.result.summary ?? ''} />
              <Lines title="" lines={[...(one.result.errors ?? []), ...(one.result.changed ?? []), ...(one.result.restart_needed ?? []).map(line => `after a restart: ${line}`)]} /></li>
          ))}</ul>
        )}</View>
      </details>
      {question && <Ask question={question} onClose={() => setQuestion(null)} />}
    </Panel>
  );
}

function Lines({ title, lines }: { title: string; lines: readonly string[] | null | undefined }) {
  if (!lines || lines.length === 0) return null;
  return <>{title && <h3>{title}</h3>}<ul class="plain">{lines.map(line => <li key={line}><Foreign text={line} /></li>)}</ul></>;
}

function Effective() {
  const config = useResource<Json>('config', 30_000);
  const q = parameter('q');
  const only = parameter('only') === 'set';
  return (
    <Panel title="In force">
      <form class="filters" onSubmit={event => event.preventDefault()}>
        <label class="field grow"><span>Search keys</span><input type="search" value={q} onInput={event => adjust({ q: event.currentTarget.value })} autocomplete="off" spellcheck={false} /></label>
        <label class="check"><input type="checkbox" checked={only} onChange={event => adjust({ only: event.currentTarget.checked ? 'set' : null })} /> only what is set</label>
      </form>
      <View of={config} everyMs={30_000}>{data => {
        const all = settingsOf(data);
        const told = all.some(row => row.from !== '');
        const rows = all.filter(row => (q === '' || row.key.toLowerCase().includes(q.toLowerCase())) && (!told || !only || row.from !== 'default'));
        if (rows.length === 0) return <Empty><p>No setting matches. <button type="button" class="link" onClick={() => adjust({ q: null, only: null })}>Clear</button></p></Empty>;
        return (
          <Table
            label="Settings" rows={rows} id={row => row.key}
            columns={[
              { name: 'Key', card: 'title', wide: true, cell: row => <code>{visible(row.key)}</code> },
              { name: 'Value', wide: true, cell: row => (typeof row.value === 'string' ? <code><Foreign text={row.value} longest={120} /></code> : <code>{visible(JSON.stringify(row.value))}</code>) },
              ...(told ? [
                { name: 'From', cell: (row: Setting) => <span class={row.from === 'default' ? 'quiet' : ''}><Foreign text={row.from} /></span> },
                { name: 'Applies', cell: (row: Setting) => (row.needs_restart ? 'after a restart' : 'at reload') },
              ] : []),
            ]}
          />
        );
      }}</View>
    </Panel>
  );
}
