// The other nodes, if there are any.
import { count } from '../lib/format';
import { useResource } from '../lib/resource';
import { Empty, Foreign, Heading, Panel, View } from '../ui/basics';
import { Members, Rows, type Json } from '../ui/members';

export function Cluster() {
  const cluster = useResource<{ [name: string]: Json }>('cluster', 5000);
  return (
    <>
      <Heading title="Cluster" />
      <View of={cluster}>{data => {
        if (data.status === 'standalone') {
          return <Empty><p><Foreign text={typeof data.node === 'string' ? data.node : 'This broker'} /> stands alone: no other node takes over when it is away.</p></Empty>;
        }
        const { members, ...rest } = data;
        return (
          <>
            <Panel title="State"><Members of={rest} /></Panel>
            {Array.isArray(members) && <Panel title={`${count(members.length)} members`}><Rows rows={members as { [name: string]: Json }[]} label="Members" /></Panel>}
          </>
        );
      }}</View>
    </>
  );
}
