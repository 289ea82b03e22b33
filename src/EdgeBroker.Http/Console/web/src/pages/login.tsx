// The way in: user and password, a token, or a link that the broker printed once.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, loginEnded, me, Problem, type Me } from '../lib/api';
import { now } from '../lib/clock';
import { visible } from '../lib/format';
import { usersWithRole } from '../lib/logins';
import { go } from '../lib/navigate';
import { link } from '../lib/route';
import { useResource } from '../lib/resource';
import { Command, Failure, Heading, Panel, Status } from '../ui/basics';
import { Dialog } from '../ui/dialog';
import { Logo } from '../ui/frame';
import type { Json } from '../ui/members';

const USED = 'This link was used or is too old. edgebroker console prints a new one.';

async function enter(body: Record<string, string>): Promise<void> {
  me.value = (await ask<Me>('login', { method: 'POST', body })).body;
  loginEnded.value = false;
}

function wording(error: unknown, way: 'password' | 'token' | 'once'): string {
  if (!(error instanceof Problem)) return 'No answer came from the broker.';
  if (error.status === 401) {
    return way === 'once' ? USED : way === 'token' ? 'The token is not valid.' : 'User or password is wrong.';
  }
  return visible(error.detail || error.title);
}

function Form({ onDone, user }: { onDone?: () => void; user?: string }) {
  const [way, setWay] = useState<'password' | 'token'>('password');
  const [running, setRunning] = useState(false);
  const [failure, setFailure] = useState('');
  const [waitUntil, setWaitUntil] = useState(0);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), [way]);
  const wait = Math.max(0, Math.ceil((waitUntil - now.value) / 1000));
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (running || wait > 0) return;
    const form = event.currentTarget as HTMLFormElement;
    const values = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    setRunning(true);
    setFailure('');
    try {
      await enter(values);
      onDone?.();
    } catch (error) {
      setRunning(false);
      if (error instanceof Problem && error.status === 429) setWaitUntil(Date.now() + (error.retryAfterSeconds ?? 60) * 1000);
      else setFailure(wording(error, way));
    }
  };
  return (
    <form onSubmit={submit} class="login">
      {way === 'password' ? (
        <>
          <label class="field"><span>User</span><input ref={first} name="user" autocomplete="username" defaultValue={user} required spellcheck={false} autocapitalize="off" /></label>
          <label class="field"><span>Password</span><input name="password" type="password" autocomplete="current-password" required /></label>
        </>
      ) : (
        <label class="field"><span>Token</span><input ref={first} name="token" type="password" autocomplete="off" required /></label>
      )}
      <p class="said" role="alert">{wait > 0 ? `Too many tries. Wait ${wait} s.` : failure}</p>
      <button type="submit" class="primary" disabled={running || wait > 0}>{running ? 'Asking…' : 'Log in'}</button>
      <button type="button" class="link" onClick={() => { setWay(way === 'password' ? 'token' : 'password'); setFailure(''); }}>
        {way === 'password' ? 'Use a token instead' : 'Use a password instead'}
      </button>
    </form>
  );
}

/** The code of a link that the broker printed: taken out of the address before it is used, so that it stays in no history. */
function takeOnce(): string | null {
  const match = /^#\/?\??once=([A-Za-z0-9-]{1,64})$/.exec(location.hash);
  if (!match) return null;
  history.replaceState(null, '', '#/');
  return match[1]!;
}

export function Login() {
  const [said, setSaid] = useState('');
  useEffect(() => {
    const once = takeOnce();
    if (once === null) return;
    enter({ once }).then(() => go(['keep-access']), error => setSaid(wording(error, 'once')));
  }, []);
  return (
    <main class="lonely" id="main">
      <h1 tabIndex={-1}><Logo /> EdgeBroker</h1>
      {said && <p class="failure" role="alert">{said}</p>}
      <Form />
      <p class="quiet">Nobody can log in yet? On the gateway, <code>edgebroker console</code> prints a link that works once.</p>
    </main>
  );
}

/** Over the page that was open, which stays where it was. */
export function LoginAgain() {
  return (
    <Dialog title="The login has ended" fixed>
      <p>Log in again; this page stays as it is.</p>
      <Form user={me.value?.user} onDone={() => (loginEnded.value = false)} />
    </Dialog>
  );
}

/** After the first link: how to get a login that lasts. */
export function KeepAccess() {
  const [checked, setChecked] = useState(false);
  const config = useResource<Json>('config', Infinity);
  const able = config.data === undefined ? [] : usersWithRole(config.data);
  return (
    <>
      <Heading title="Keep access" />
      <Panel title="A login that lasts">
        <p>This session ends by itself, and its link works no second time. On the gateway, make a user in the file that <code>auth.password_file</code> names:</p>
        <Command text="edgebroker passwd add users.passwd anna" />
        <p>put the user into a group whose name is a role, in <code>broker.toml</code>:</p>
        <Command text={'[[group]]\nname = "admin"        # or "operator", "viewer"\nusers = ["anna"]'} />
        <p>and have the broker read it:</p>
        <Command text="edgebroker reload" />
        <p class="actions">
          <button type="button" class="primary" onClick={() => { setChecked(true); config.reload(); }}>Check again</button>
          {config.data !== undefined && (able.length > 0
            ? <Status tone="good">{able.slice(0, 5).map(visible).join(', ')} can log in</Status>
            : checked && <Status tone="warn">nobody can log in yet</Status>)}
        </p>
        {config.problem && <Failure problem={config.problem} retry={config.reload} />}
      </Panel>
      <p><a href={link(['overview'])}>To the overview</a></p>
    </>
  );
}
