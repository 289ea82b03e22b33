// Payloads: from the API's two forms to bytes, and to what a person reads.
import { hex, type Maybe, prettyJson, utf8, visibleLines } from './format';

export type Form = 'json' | 'text' | 'hex';

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(text), character => character.charCodeAt(0));
  } catch {
    return new Uint8Array(0);
  }
}

export function toBase64(data: Uint8Array): string {
  let text = '';
  for (const value of data) text += String.fromCharCode(value);
  return btoa(text);
}

/** The bytes of an answer's payload, or null where it has none. */
export function payloadOf(value: { payload?: Maybe<unknown>; payload_base64?: Maybe<string> }): Uint8Array | null {
  if (value.payload_base64 != null) return fromBase64(value.payload_base64);
  if (typeof value.payload === 'string') return new TextEncoder().encode(value.payload);
  return value.payload == null ? null : new TextEncoder().encode(JSON.stringify(value.payload));
}

/** The form in which a payload is read best. */
export function bestForm(data: Uint8Array): Form {
  const text = utf8(data);
  if (text === null) return 'hex';
  return prettyJson(text) === null ? 'text' : 'json';
}

export function show(data: Uint8Array, form: Form): string {
  if (form === 'hex') return hex(data);
  const text = utf8(data) ?? new TextDecoder().decode(data);
  return visibleLines((form === 'json' ? prettyJson(text) : null) ?? text);
}

/** One line of it, for lists. */
export function preview(data: Uint8Array, longest = 120): string {
  const text = utf8(data.subarray(0, longest * 4));
  if (text === null) {
    // It may only have been cut within a character.
    const near = utf8(data.subarray(0, longest * 4 - 4)) ?? utf8(data.subarray(0, longest * 4 - 3)) ?? utf8(data.subarray(0, longest * 4 - 2));
    if (near === null || data.length < longest * 4) return `${data.length} bytes: ${[...data.subarray(0, 16)].map(value => value.toString(16).padStart(2, '0')).join(' ')}${data.length > 16 ? ' …' : ''}`;
    return near;
  }
  return text;
}

/** The number that a payload is, if it is one. */
export function numberOf(data: Uint8Array): number | null {
  if (data.length === 0 || data.length > 32) return null;
  const text = utf8(data)?.trim() ?? '';
  return /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text) ? Number(text) : null;
}

/** The difference to the value before: +0.1, where both are numbers. */
export function difference(now: Uint8Array, before: Uint8Array | undefined): string {
  const [a, b] = [numberOf(now), before ? numberOf(before) : null];
  if (a === null || b === null) return '';
  const change = Number((a - b).toPrecision(6));
  return change === 0 ? '±0' : `${change > 0 ? '+' : ''}${change}`;
}
