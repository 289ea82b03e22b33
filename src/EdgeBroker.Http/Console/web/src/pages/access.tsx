// Who was refused and why; what a user may do; who the users are.
import { useEffect, useState } from 'preact/hooks';
import { ask, may, NoAnswer, Problem } from '../lib/api';
import { queryText } from '../lib/address';
import { count, visible } from '../lib/format';
import { adjust, parameter } from '../lib/navigate';
import { link } from '../lib/route';
import { useResource } from '../lib/resource';
import type { Page, Refusal, Rule } from '../lib/types';
import { Ago, Empty, Failure, Foreign, Heading, Status, Tabs, View } from '../ui/basics';
import { Table } from '../ui/table';

const TABS = [['refusals', 'Refusals'], ['tester', 'ACL tester']] as const;

export function Access() {
  const tab = parameter('tab') === 'tester' ? 'tester' : 'refusals';
  return (
    <>
      <Heading title="Access" />
      <Tabs label="Access" current={tab} items={TABS.map(([id, name]) => ({ id, name, href: link(['access'], { tab: id === 'refusals' ? null : id }) }))} />
      {tab === 'refusals' ? <Refusals /> : <Tester />}
    </>
  );
}

/** broker.toml:61, rule 4. */
export function ruleText(rule: Rule): string {
  const place = rule.file ? `${visible(rule.file)}${rule.line ? `:${rule.line}` : ''}` : '';
  return [rule.number != null ? `rule ${rule.number}` : '', place].filter(Boolean).join(', ');
}

function Refusals() {
  const q = parameter('q');
  const list = useResource<Page<Refusal>>(`refusals${queryText({ limit: 1000 })}`, 2000);
  return (
    <>
      <form class="filters" onSubmit={event => event.preventDefault()}>
        <label class="field grow"><span>Search client, user, address, cause</span>
          <input type="search" value={q} onInput={event => adjust({ q: event.currentTarget.value })} autocomplete="off" spellcheck={false} /></label>
      </form>
      <View of={list} everyMs={2000}>{data => {
        const wanted = q.toLowerCase();
        const rows = data.items.filter(row => wanted === '' || [row.client_id, row.user, row.address, row.cause, row.about, row.what].some(text => text?.toLowerCase().includes(wanted)));
        if (data.items.length === 0) return <Empty><p>Nobody was refused since the broker started.</p></Empty>;
        if (rows.length === 0) return <Empty><p>Nothing matches “<Foreign text={q} longest={80} />”. <button type="button" class="link" onClick={() => adjust({ q: null })}>Clear</button></p></Empty>;
        return <RefusalTable rows={rows} />;
      }}</View>
    </>
  );
}

export function RefusalTable({ rows }: { rows: readonly Refusal[] }) {
  return (
    <Table
      label="Refusals" rows={rows} id={row => [row.what, row.client_id, row.user, row.address, row.about, row.cause].join('\u0000')}
      columns={[
        { name: 'Client', card: 'title', cell: row => (row.client_id ? <a href={link(['clients', row.client_id], { tab: 'history' })}><Foreign text={row.client_id} longest={30} /></a> : <span class="quiet">none</span>) },
        ...(rows.some(row => row.user != null) ? [{ name: 'User', cell: (row: Refusal) => <Foreign text={row.user} longest={20} /> }] : []),
        { name: 'From', cell: row => <Foreign text={row.address} /> },
        { name: 'What', cell: row => <>{visible(row.what)}{row.about && <> <Foreign text={row.about} longest={40} /></>}</> },
        { name: 'Why', wide: true, cell: row => <><Foreign text={row.cause} longest={120} />{row.rule && <> <span class="quiet">({ruleText(row.rule)})</span></>}{row.hint && <><br /><span class="quiet">What helps: <Foreign text={row.hint} /></span></>}</> },
        { name: 'Count', number: true, cell: row => count(row.count) },
        { name: 'Last', cell: row => <Ago at={row.last_at} /> },
        {
          name: 'Test', hidden: true, cell: row => (row.what === 'publish' || row.what === 'subscribe') && may('operator')
            && <a class="button small" href={link(['access'], { tab: 'tester', user: row.user, client: row.client_id, action: row.what, topic: row.about })}>Test</a>,
        },
      ]}
    />
  );
}

interface Verdict {
  allowed: boolean;
  rule?: Rule | null;
  why?: string | null;
  maximum_qos?: number | null;
}

function Tester() {
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [running, setRunning] = useState(false);
  const wanted = {
    user: parameter('user'), client: parameter('client'), action: parameter('action') || 'publish', topic: parameter('topic'),
    qos: parameter('qos') || '0', retain: parameter('retain') === '1',
  };
  const key = JSON.stringify(wanted);
  useEffect(() => { setVerdict(null); setProblem(null); }, [key]);
  const test = async () => {
    setRunning(true);
    setProblem(null);
    try {
      const body = {
        user: wanted.user || null, client_id: wanted.client || null, action: wanted.action, topic: wanted.topic, 
        ...(wanted.action === 'publish' ? { qos: Number(wanted.qos), retain: wanted.retain } : {}),
      };
      setVerdict((await ask<Verdict>('acl/test', { method: 'POST', body })).body);
    } catch (error) {
      if (error instanceof Problem) setProblem(error);
      else if (!(error instanceof NoAnswer)) throw error;
    }
    setRunning(false);
  };
  // A refusal's link is answered without a further press.
  useEffect(() => { if (wanted.topic !== '' && may('operator')) void test(); }, []);
  if (!may('operator')) return <Empty><p>Operators test what users may do.</p></Empty>;
  const set = (name: string) => (event: { currentTarget: HTMLInputElement | HTMLSelectElement }) => adjust({ [name]: event.currentTarget.value });
  return (
    <>
      <form class="filters tester" onSubmit={event => { event.preventDefault(); void test(); }}>
        <label class="field"><span>User</span><input value={wanted.user} onInput={set('user')} autocomplete="off" spellcheck={false} placeholder="anonymous" /></label>
        <label class="field"><span>Client id</span><input value={wanted.client} onInput={set('client')} autocomplete="off" spellcheck={false} /></label>
        <label class="field"><span>Does</span>
          <select value={wanted.action} onChange={set('action')}><option value="publish">publish</option><option value="subscribe">subscribe</option></select></label>
        <label class="field grow"><span>{wanted.action === 'publish' ? 'Topic' : 'Filter'}</span><input value={wanted.topic} onInput={set('topic')} required autocomplete="off" spellcheck={false} /></label>
        <label class="field"><span>QoS</span><select value={wanted.qos} onChange={set('qos')}>{['0', '1', '2'].map(qos => <option key={qos}>{qos}</option>)}</select></label>
        {wanted.action === 'publish' && <label class="check"><input type="checkbox" checked={wanted.retain} onChange={event => adjust({ retain: event.currentTarget.checked ? '1' : null })} /> retain</label>}
        <button type="submit" class="primary" disabled={running}>{running ? 'Testing…' : 'Test'}</button>
      </form>
      <div role="status">
        {problem && <Failure problem={problem} retry={() => void test()} />}
        {verdict && (
          <div class={`ruling ${verdict.allowed ? 'good' : 'bad'}`}>
            <Status tone={verdict.allowed ? 'good' : 'bad'}><b>{verdict.allowed ? 'Allowed' : 'Denied'}</b></Status>
            {verdict.rule && <p>by {ruleText(verdict.rule)}{verdict.rule.text && <>: <code><Foreign text={verdict.rule.text} /></code></>}</p>}
            {verdict.why && <p><Foreign text={verdict.why} /></p>}
            {verdict.allowed && verdict.maximum_qos != null && verdict.maximum_qos < 2 && <p class="quiet">At most QoS {verdict.maximum_qos}.</p>}
          </div>
        )}
      </div>
    </>
  );
}
