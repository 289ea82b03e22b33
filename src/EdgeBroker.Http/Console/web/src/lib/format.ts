// Numbers, sizes, times and foreign text as the console writes them. Nothing here touches the page.

/** What stands where a value is not known. */
export const UNKNOWN = '–';

export type Maybe<T> = T | null | undefined;

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 1204 -> 1,204. */
export function count(value: Maybe<number>): string {
  return value == null || !Number.isFinite(value) ? UNKNOWN : grouped.format(value);
}

/** A number with one decimal below ten, none above. */
export function measure(value: Maybe<number>): string {
  if (value == null || !Number.isFinite(value)) return UNKNOWN;
  if (value === 0) return '0';
  if (Math.abs(value) < 0.05) return value < 0 ? '-0.0' : '<0.1';
  return Math.abs(value) < 9.95 ? value.toFixed(1) : grouped.format(value);
}

/** 1204.2 -> 1,204/s. */
export function rate(value: Maybe<number>): string {
  return value == null ? UNKNOWN : `${measure(value)}/s`;
}

const SIZES = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** 54784 -> 53.5 KB; a KB has 1,024 bytes, as in the configuration. */
export function bytes(value: Maybe<number>): string {
  if (value == null || !Number.isFinite(value)) return UNKNOWN;
  let size = value;
  let unit = 0;
  while (Math.abs(size) >= 1023.95 && unit < SIZES.length - 1) {
    size /= 1024;
    unit++;
  }
  const digits = unit === 0 || Math.abs(size) >= 99.95 ? 0 : 1;
  return `${digits === 0 ? grouped.format(size) : trimZero(size.toFixed(digits))} ${SIZES[unit]}`;
}

function trimZero(text: string): string {
  return text.endsWith('.0') ? text.slice(0, -2) : text;
}

/** 7860 -> 2 h 11 min: the two largest units, the second left out when it is nothing. */
export function duration(seconds: Maybe<number>): string {
  if (seconds == null || !Number.isFinite(seconds)) return UNKNOWN;
  const whole = Math.max(0, seconds);
  if (whole < 1) return `${Math.round(whole * 1000)} ms`;
  if (whole < 60) return `${Math.floor(whole)} s`;
  if (whole < 3600) return pair(whole, 60, 'min', 1, 's', 600);
  if (whole < 86_400) return pair(whole, 3600, 'h', 60, 'min', 86_400);
  return pair(whole, 86_400, 'd', 3600, 'h', 10 * 86_400);
}

function pair(seconds: number, size: number, unit: string, smaller: number, smallerUnit: string, until: number): string {
  const first = Math.floor(seconds / size);
  const rest = Math.floor((seconds % size) / smaller);
  return rest === 0 || seconds >= until ? `${grouped.format(first)} ${unit}` : `${first} ${unit} ${rest} ${smallerUnit}`;
}

/** How long ago a moment was, in words. */
export function ago(at: Maybe<string>, now: number): string {
  const time = at == null ? NaN : Date.parse(at);
  if (Number.isNaN(time)) return UNKNOWN;
  const seconds = (now - time) / 1000;
  if (seconds < -1) return `in ${duration(-seconds)}`;
  return seconds < 2 ? 'now' : `${duration(seconds)} ago`;
}

/** The seconds since a moment. */
export function secondsSince(at: Maybe<string>, now: number): number | null {
  const time = at == null ? NaN : Date.parse(at);
  return Number.isNaN(time) ? null : Math.max(0, (now - time) / 1000);
}

const two = (value: number) => String(value).padStart(2, '0');

/** 09:31:45 of this day, else with the date before it. */
export function clock(at: Maybe<string | number>, now: number, utc: boolean): string {
  if (at == null) return UNKNOWN;
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return UNKNOWN;
  const today = day(new Date(now), utc);
  const that = day(date, utc);
  const time = utc
    ? `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
    : `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return that === today ? time : `${that} ${time}`;
}

/** The whole moment, for a title: 2026-11-29 09:31:45.002 UTC. */
export function exact(at: Maybe<string | number>, utc: boolean): string {
  if (at == null) return '';
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '';
  const milliseconds = String(date.getUTCMilliseconds()).padStart(3, '0');
  return `${clock(at, -1e15, utc)}.${milliseconds} ${utc ? 'UTC' : 'local time'}`;
}

function day(date: Date, utc: boolean): string {
  return utc
    ? `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`
    : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** 1 client, 2 clients. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

const BIDI = /[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/;

/** Text of others with everything in it visible: control characters as \x1b, marks of direction and of no width as \u202e, halves of pairs as \ud800. */
export function visible(text: string): string {
  let out = '';
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (BIDI.test(character) || code === 0x2028 || code === 0x2029 || (code >= 0xd800 && code <= 0xdfff)) {
      out += `\\u${code.toString(16).padStart(4, '0')}`;
    } else if (code >= 0xe0000 && code <= 0xe007f) out += `\\u{${code.toString(16)}}`;
    else out += character;
  }
  return out;
}

/** The same, with the ends and tabs of lines kept: for values that are shown over several lines. */
export function visibleLines(text: string): string {
  return text.split('\n').map(line => line.split('\t').map(visible).join('\t')).join('\n');
}

/** Visible, and cut in the middle when longer than so many characters, so that both ends are read. */
export function short(text: string, longest: number): string {
  const seen = [...visible(text)];
  if (seen.length <= longest) return seen.join('');
  const head = Math.ceil((longest - 1) * 0.6);
  return `${seen.slice(0, head).join('')}…${seen.slice(seen.length - (longest - 1 - head)).join('')}`;
}

/** Bytes as lines of sixteen: offset, hex, and what is printable. */
export function hex(data: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < data.length; at += 16) {
    const part = [...data.subarray(at, at + 16)];
    const digits = part.map(value => value.toString(16).padStart(2, '0')).join(' ').padEnd(47);
    const text = part.map(value => (value >= 0x20 && value < 0x7f ? String.fromCharCode(value) : '.')).join('');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${digits}  ${text}`);
  }
  return lines.join('\n');
}

/** The text of UTF-8 bytes, or null where they are none. */
export function utf8(data: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    return null;
  }
}

/** JSON over several lines, or null where the text is no object or list. */
export function prettyJson(text: string): string | null {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}

/** A word for a shell, quoted where it must be. */
export function shellWord(text: string): string {
  if (/^[A-Za-z0-9_./:=@%,-]+$/.test(text)) return text;
  if (/^[\x20-\x7e\u00a0-\ud7ff\ue000-\uffff]*$/.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  return `$'${[...new TextEncoder().encode(text)].map(value => `\\x${value.toString(16).padStart(2, '0')}`).join('')}'`;
}
