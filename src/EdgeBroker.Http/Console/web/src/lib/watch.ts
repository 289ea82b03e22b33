// Live messages of a filter, by the broker's own stream of server-sent events.
import { signal } from '@preact/signals';
import { answered } from './api';
import { TopicMemory } from './heard';
import type { TopicMessage } from './types';
import { payloadOf } from './value';

const PER_SECOND = 200;

export type WatchState = 'off' | 'connecting' | 'live' | 'lost';

/** One filter that is listened to; what it says about itself are signals. */
export class Watch {
  readonly memory = new TopicMemory();
  readonly state = signal<WatchState>('connecting');
  readonly said = signal('');
  readonly skipped = signal(0);
  /** Grows when there is something new to draw, four times a second at most. */
  readonly version = signal(0);
  paused = false;
  readonly passed = signal(0);
  private readonly source: EventSource;
  private drawing: number | undefined;

  constructor(readonly filter: string) {
    // The levels' slashes stand as they are; everything else is encoded, as a filter may hold "?" and "#".
    const path = filter.split('/').map(encodeURIComponent).join('/');
    this.source = new EventSource(`/topics/${path}/events?retained=true&rate=${PER_SECOND}`);
    this.source.onopen = () => {
      answered();
      this.state.value = 'live';
    };
    this.source.onerror = () => {
      if (this.source.readyState !== EventSource.CLOSED) this.state.value = 'lost';
      else void this.explain(path);
    };
    this.source.addEventListener('message', event => this.take((event as MessageEvent<string>).data));
    this.source.addEventListener('gap', event => {
      const gap = JSON.parse((event as MessageEvent<string>).data) as { skipped_count?: number };
      this.skipped.value += gap.skipped_count ?? 0;
    });
    this.source.addEventListener('bye', event => {
      this.said.value = String((JSON.parse((event as MessageEvent<string>).data) as { cause?: string }).cause ?? '');
      this.close();
    });
  }

  close(): void {
    this.source.close();
    clearTimeout(this.drawing);
    this.state.value = 'off';
  }

  // The browser does not tell why a stream was refused: the same question without a stream does.
  private async explain(path: string): Promise<void> {
    this.state.value = 'off';
    try {
      const response = await fetch(`/topics/${path}/events?rate=1`, { headers: { Accept: 'application/problem+json' }, signal: AbortSignal.timeout(5000) });
      if (response.ok) await response.body?.cancel();
      else {
        const problem = (await response.json()) as { title?: string; detail?: string; type?: string };
        this.said.value = problem.type?.endsWith('no-such-endpoint') ? 'This listener serves no live messages.' : (problem.detail ?? problem.title ?? '');
      }
    } catch {
      this.said.value = 'No answer came.';
    }
  }

  private take(json: string): void {
    const message = JSON.parse(json) as TopicMessage;
    if (this.paused) {
      this.passed.value++;
      return;
    }
    this.memory.add(message.topic, payloadOf(message) ?? new Uint8Array(0), message.qos ?? 0, message.retain === true, Date.now());
    this.drawing ??= window.setTimeout(() => {
      this.drawing = undefined;
      this.version.value++;
    }, 250);
  }
}
