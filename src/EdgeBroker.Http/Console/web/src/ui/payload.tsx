// A payload as JSON, text or hex; a long one is cut, and says so.
import { useState } from 'preact/hooks';
import { bytes, utf8 } from '../lib/format';
import { bestForm, type Form, show } from '../lib/value';
import { Copy } from './basics';

const SHOWN_BYTES = 1024;

export function Payload({ data, size, cut, loadAll }: { data: Uint8Array; size?: number | null; cut?: boolean; loadAll?: () => void }) {
  const [chosen, setChosen] = useState<Form | null>(null);
  const [whole, setWhole] = useState(false);
  const part = whole || data.length <= SHOWN_BYTES ? data : data.subarray(0, SHOWN_BYTES);
  const form = chosen ?? bestForm(data);
  const total = size ?? data.length;
  if (total === 0) return <p class="quiet">An empty payload.</p>;
  const isCut = part.length < total;
  return (
    <div class="payload">
      <div class="segmented" role="group" aria-label="Shown as">
        {(['json', 'text', 'hex'] as const).map(one => <button key={one} type="button" aria-pressed={form === one} onClick={() => setChosen(one)}>{one === 'json' ? 'JSON' : one}</button>)}
        <span class="quiet">{bytes(total)}</span>
        <Copy text={utf8(data) ?? show(data, 'hex')} what="value" />
      </div>
      <pre tabIndex={0} aria-label="Value">{show(part, isCut && form === 'json' ? 'text' : form)}</pre>
      {isCut && (
        <p class="quiet">Cut at {bytes(part.length)} of {bytes(total)} – {cut && data.length < total
          ? loadAll && <button type="button" class="link" onClick={() => { setWhole(true); loadAll(); }}>load all</button>
          : <button type="button" class="link" onClick={() => setWhole(true)}>show all</button>}</p>
      )}
    </div>
  );
}
