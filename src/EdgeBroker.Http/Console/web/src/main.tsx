// The console: one page, whose address after "#" says what it shows.
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { loginEnded, me } from './lib/api';
import { startClock } from './lib/clock';
import { route, startNavigation } from './lib/navigate';
import { startStream } from './lib/stream';
import { link } from './lib/route';
import { Access } from './pages/access';
import { Bridges } from './pages/bridges';
import { Client } from './pages/client';
import { Clients } from './pages/clients';
import { Cluster } from './pages/cluster';
import { KeepAccess, Login, LoginAgain } from './pages/login';
import { Log } from './pages/log';
import { Overview, Problems } from './pages/overview';
import { Queues } from './pages/queues';
import { System } from './pages/system';
import { Topics } from './pages/topics';
import { Workbench } from './pages/workbench';
import { findLogin, startState } from './state';
import { Empty, Heading, Skeleton } from './ui/basics';
import { Frame, PAGES } from './ui/frame';

function Page() {
  const [page = 'overview', ...rest] = route.value.path;
  switch (page) {
    case 'overview': return <Overview />;
    case 'problems': return <Problems />;
    case 'clients': return rest.length > 0 ? <Client key={rest.join('/')} id={rest.join('/')} /> : <Clients />;
    case 'topics': return <Topics />;
    case 'workbench': return <Workbench />;
    case 'queues': return <Queues />;
    case 'bridges': return <Bridges />;
    case 'cluster': return <Cluster />;
    case 'access': return <Access />;
    case 'log': return <Log />;
    case 'system': return <System />;
    case 'keep-access': return <KeepAccess />;
    default: return <><Heading title="No such page" /><Empty><p>This address leads nowhere. <a href={link(['overview'])}>To the overview</a></p></Empty></>;
  }
}

function Console() {
  const page = route.value.path[0] ?? 'overview';
  useEffect(() => {
    const name = PAGES.find(one => one.id === page)?.name ?? 'EdgeBroker';
    document.title = `${name} - EdgeBroker`;
  }, [page]);
  if (me.value === undefined) return <div class="lonely"><Skeleton /></div>;
  if (me.value === null) return <Login />;
  return (
    <>
      <Frame page={page}><Page /></Frame>
      {loginEnded.value && <LoginAgain />}
    </>
  );
}

startNavigation();
startClock();
startStream();
startState();
void findLogin();
render(<Console />, document.getElementById('console')!);
