// Dialogs of the browser's own kind: they keep the focus, and give it back.
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { sentence } from './basics';

export function Dialog({ title, onClose, children, fixed }: { title: string; onClose?: () => void; children: ComponentChildren; fixed?: boolean }) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before anything else is heard: a second press on what opened the dialog would otherwise still reach the page behind it.
  useLayoutEffect(() => {
    const before = document.activeElement;
    box.current!.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      else document.querySelector<HTMLElement>('main h1')?.focus();
    };
  }, []);
  return (
    <dialog
      ref={box} aria-labelledby={id} onClose={onClose}
      onCancel={event => { if (fixed) event.preventDefault(); }}
      onClick={event => { if (!fixed && event.target === box.current) box.current!.close(); }}
    >
      <div class="dialog">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

export interface Question {
  title: string;
  text: ComponentChildren;
  action: string;
  danger?: boolean;
  /** What has to be typed before the button works. */
  typed?: string;
  typedLabel?: string;
  run: () => Promise<void>;
}

/** Asks, runs, and stays with the broker's answer where it says no. */
export function Ask({ question, onClose }: { question: Question; onClose: () => void }) {
  const [running, setRunning] = useState(false);
  const [failure, setFailure] = useState('');
  const [typed, setTyped] = useState('');
  const ready = question.typed === undefined || typed === question.typed;
  const run = async (event: Event) => {
    event.preventDefault();
    if (running || !ready) return;
    setRunning(true);
    setFailure('');
    try {
      await question.run();
      onClose();
    } catch (error) {
      setFailure(sentence(error));
      setRunning(false);
    }
  };
  return (
    <Dialog title={question.title} onClose={onClose}>
      <form onSubmit={run}>
        <div class="text">{question.text}</div>
        {question.typed !== undefined && (
          <label class="field"><span>{question.typedLabel}</span>
            <input value={typed} onInput={event => setTyped(event.currentTarget.value)} autocomplete="off" spellcheck={false} />
          </label>
        )}
        {failure && <p class="failure" role="alert">{failure}</p>}
        <div class="buttons">
          <button type="button" onClick={onClose}>Cancel</button>
          <button type="submit" class={question.danger ? 'danger' : 'primary'} disabled={running || !ready}>{running ? 'Running…' : question.action}</button>
        </div>
      </form>
    </Dialog>
  );
}
