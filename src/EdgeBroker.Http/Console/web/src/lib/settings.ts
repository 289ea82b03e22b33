// The configuration as the API shows it: settings one by one, errors by file, line and column.
import type { Json } from '../ui/members';
import type { FieldError } from './api';

export interface Setting {
  key: string;
  value: Json;
  from: string;
  needs_restart?: boolean;
}

/** Settings however they are nested: a setting is what has a value and says from where. */
export function settingsOf(answer: Json, prefix = ''): Setting[] {
  if (Array.isArray(answer)) {
    if (prefix !== '' && answer.every(one => one === null || typeof one !== 'object')) return [{ key: prefix, value: answer, from: '' }];
    return answer.flatMap((one, i) => (one !== null && typeof one === 'object' && !Array.isArray(one) && typeof one.key === 'string'
      ? [one as unknown as Setting] : settingsOf(one, `${prefix}[${i}]`)));
  }
  if (answer === null || typeof answer !== 'object') return prefix === '' ? [] : [{ key: prefix, value: answer, from: '' }];
  if ('value' in answer && typeof answer.from === 'string') {
    return [{ key: prefix, value: answer.value ?? null, from: answer.from, needs_restart: answer.needs_restart === true }];
  }
  return Object.entries(answer).flatMap(([name, one]) => settingsOf(one, prefix === '' ? name : `${prefix}.${name}`));
}

/** `broker.toml:33:7: what` by its parts. */
export function errorOf(line: string): FieldError {
  const match = /^(.+?):(\d+):(\d+): (.*)$/s.exec(line);
  return match ? { file: match[1], line: Number(match[2]), column: Number(match[3]), message: match[4] } : { message: line };
}
