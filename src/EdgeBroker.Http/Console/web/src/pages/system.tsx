// What the broker runs with: configuration, certificates, listeners, limits, memory; what was done to it.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { ask, may, me, Problem } from '../lib/api';
import { announce } from '../lib/announce';
import { bytes, count, visible } from '../lib/format';
import { parameter } from '../lib/navigate';
import { link } from '../lib/route';
import { useResource } from '../lib/resource';
import { type Certificate, itemsOf, type Page } from '../lib/types';
import { overview } from '../state';
import { Clock, Copy, Empty, Failure, Foreign, Heading, Panel, sentence, Status, Tabs, type Tone, View } from '../ui/basics';
import { Members, Rows, value, type Json } from '../ui/members';
import { sorted, Table } from '../ui/table';
import { Configuration } from './configuration';

const TABS = [
  ['configuration', 'Configuration', 'admin'], ['certificates', 'Certificates', null], ['listeners', 'Listeners', null], ['limits', 'Limits', null], ['memory', 'Memory', null],
  ['webhooks', 'Webhooks', null], ['sensors', 'Sensors', null], ['audit', 'Audit', 'admin'], ['backup', 'Backup', 'admin'], ['about', 'About', null],
] as const;

export function System() {
  const open = TABS.filter(([, , role]) => role === null || may(role));
  const tab = open.some(([id]) => id === parameter('tab')) ? parameter('tab') : open[0]![0];
  return (
    <>
      <Heading title="System" />
      <Tabs label="System" current={tab} items={open.map(([id, name]) => ({ id, name, href: link(['system'], { tab: id }) }))} />
      <Part tab={tab} />
    </>
  );
}

function Part({ tab }: { tab: string }): ComponentChildren {
  switch (tab) {
    case 'configuration': return <Configuration />;
    case 'certificates': return <Certificates />;
    case 'audit': return <Audit />;
    case 'backup': return <Backup />;
    case 'about': return <About />;
    default: return <Answer key={tab} path={tab} />;
  }
}

const NOTHING: Record<string, string> = {
  webhooks: 'No webhook is configured. A [[webhook]] in broker.toml tells another program what happens here.',
  sensors: 'No sensor is configured.',
  listeners: 'The broker listens nowhere.',
  limits: 'No limit is configured.',
};

/** An answer shown member by member: the broker says what there is. */
function Answer({ path }: { path: string }) {
  const answer = useResource<{ [name: string]: Json } | Json[]>(path, 5000);
  return (
    <View of={answer}>{data => {
      const { items, page: _, ...rest } = Array.isArray(data) ? { items: data, page: null } : data;
      if (!Array.isArray(items)) return <Panel title="Now"><Members of={rest} /></Panel>;
      return (
        <>
          {items.length === 0 ? <Empty><p>{NOTHING[path] ?? 'There is none.'}</p></Empty> : <Rows rows={items as { [name: string]: Json }[]} label={path} />}
          {Object.keys(rest).length > 0 && <Panel title="In all"><Members of={rest} /></Panel>}
        </>
      );
    }}</View>
  );
}

/** How near the end of a certificate is. */
function nearness(row: Certificate): Tone {
  if (row.status === 'failing' || (row.days_left != null && row.days_left < 3)) return 'bad';
  return row.status === 'warning' || (row.days_left != null && row.days_left < 21) ? 'warn' : 'good';
}

function Certificates() {
  const list = useResource<Certificate[] | Page<Certificate>>('certificates', 10_000);
  return (
    <View of={list} everyMs={10_000}>{data => itemsOf(data).length === 0
      ? <Empty><p>No certificate is in use: no listener or bridge speaks TLS.</p></Empty>
      : (
        <Table
          label="Certificates" rows={sorted(itemsOf(data), 'days_left')} id={row => [row.use, row.listener, row.file, row.name].join(' ')}
          columns={[
            { name: 'File', card: 'title', wide: true, cell: row => <Foreign text={row.file ?? row.subject} longest={60} /> },
            { name: 'Use', cell: row => visible(row.use.replaceAll('_', ' ')) },
            { name: 'Subject', cell: row => <Foreign text={row.subject ?? row.name} longest={40} /> },
            { name: 'Listener', cell: row => <Foreign text={row.listener} /> },
            { name: 'Ends', cell: row => <Clock at={row.ends_at} /> },
            { name: 'Days left', number: true, cell: row => <Status tone={nearness(row)}>{count(row.days_left)}</Status> },
          ]}
        />
      )}
    </View>
  );
}

interface Audited {
  at: string;
  actor?: string | null;
  role?: string | null;
  by?: string | null;
  address?: string | null;
  action: string;
  target?: string | null;
  status?: number | null;
  detail?: string | null;
  request_id?: string | null;
}

function Audit() {
  const list = useResource<Page<Audited>>('audit', 5000);
  return (
    <View of={list}>{data => data.items.length === 0 ? <Empty><p>Nobody has done anything yet.</p></Empty> : (
      <Table
        label="Audit" rows={[...data.items].sort((a, b) => (a.at < b.at ? 1 : -1))} id={row => `${row.at} ${row.request_id ?? ''} ${row.action}`}
        columns={[
          { name: 'When', cell: row => <Clock at={row.at} /> },
          { name: 'Who', card: 'title', cell: row => <><Foreign text={row.actor} longest={24} />{row.role && <span class="quiet"> {visible(row.role)}</span>}</> },
          { name: 'From', cell: row => <><Foreign text={row.address} />{row.by && <span class="quiet"> {visible(row.by)}</span>}</> },
          { name: 'Did', cell: row => <code>{visible(row.action)}</code> },
          { name: 'To', wide: true, cell: row => <Foreign text={row.target} longest={60} /> },
          { name: 'Answer', number: true, cell: row => count(row.status) },
          { name: 'Detail', cell: row => <Foreign text={row.detail} longest={60} /> },
        ]}
      />
    )}</View>
  );
}

interface Made {
  id: string;
  bytes: number;
  expires_at?: string | null;
}

function Backup() {
  const [made, setMade] = useState<Made | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [running, setRunning] = useState(false);
  const make = async () => {
    setRunning(true);
    setProblem(null);
    try {
      setMade((await ask<Made>('backup', { method: 'POST' })).body);
      announce('The copy is ready');
    } catch (error) {
      if (error instanceof Problem) setProblem(error);
      else announce(sentence(error), 'bad');
    }
    setRunning(false);
  };
  return (
    <Panel title="Backup">
      <p>A copy of all that the broker keeps: sessions, queues, retained messages. It holds their payloads, so keep it as you keep those. <code>edgebroker restore FILE</code> puts it back.</p>
      <p class="actions">
        <button type="button" class="primary" disabled={running} onClick={make}>{running ? 'Copying…' : 'Make a copy'}</button>
        {made && <a class="button" href={`/api/v1/backups/${encodeURIComponent(made.id)}`} download onClick={() => setMade(null)}>Download {bytes(made.bytes)}</a>}
        {made?.expires_at && <span class="quiet">once, until <Clock at={made.expires_at} /></span>}
      </p>
      {problem && <Failure problem={problem} retry={make} />}
    </Panel>
  );
}

function About() {
  const version = useResource<{ [name: string]: Json }>('version', Infinity);
  const [licences, setLicences] = useState<string | null>(null);
  const [reading, setReading] = useState(false);
  const show = async () => {
    setReading(true);
    try {
      setLicences(await (await fetch('/licences.txt')).text());
    } catch {
      announce('No answer came.', 'bad');
    }
    setReading(false);
  };
  const data = overview.value.data;
  const support = [
    `EdgeBroker ${version.data?.version ?? 'unknown'}`, `commit ${version.data?.commit ?? 'unknown'}`, `API ${version.data?.api_version ?? 'unknown'}`,
    `state ${data?.health.status ?? 'unknown'}`, ...(data?.problems ?? []).map(problem => `${problem.status} ${problem.part}: ${visible(problem.detail)}`),
    `clients ${count(data?.connected_count)}`, `role ${me.value?.role}`, `browser ${navigator.userAgent}`,
  ].join('\n');
  return (
    <>
      <Panel title="EdgeBroker">
        <View of={version} everyMs={Infinity}>{members => <dl class="facts">{Object.entries(members).map(([name, one]) => <div key={name}><dt>{name.replaceAll('_', ' ')}</dt><dd>{value(name, one)}</dd></div>)}</dl>}</View>
      </Panel>
      <Panel title="For support" side={<Copy text={support} what="text for support" />}><pre>{support}</pre></Panel>
      <Panel title="Works of others in this console">
        {licences === null
          ? <p><button type="button" disabled={reading} onClick={show}>{reading ? 'Reading…' : 'Show their licences'}</button> <a class="quiet" href="/licences.txt">as a file</a></p>
          : <pre class="licences" tabIndex={0}>{licences}</pre>}
      </Panel>
    </>
  );
}

