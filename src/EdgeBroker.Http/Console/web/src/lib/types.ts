// What the API answers, as far as the console shows it. A member that the broker does not know is absent or null.
import type { Maybe } from './format';

export interface Page<T> {
  items: T[];
  page: { limit: number; next: string | null; total_count?: number | null; as_of_at?: string; top?: boolean };
}

/** Lists that are short enough come bare. */
export function itemsOf<T>(answer: T[] | Page<T>): T[] {
  return Array.isArray(answer) ? answer : answer.items;
}

export type Health = 'good' | 'warning' | 'failing';

export interface Finding {
  part: string;
  status: Health;
  detail: string;
  cure?: Maybe<string>;
  since_at?: Maybe<string>;
  link?: Maybe<string>;
}

export interface SessionRow {
  client_id: string;
  state: 'connected' | 'disconnected';
  user?: Maybe<string>;
  address?: Maybe<string>;
  listener?: Maybe<string>;
  protocol?: Maybe<string>;
  transport?: Maybe<string>;
  connected_at?: Maybe<string>;
  disconnected_at?: Maybe<string>;
  subscriptions_count?: Maybe<number>;
  inflight_count?: Maybe<number>;
  queue_messages?: Maybe<number>;
  queue_bytes?: Maybe<number>;
  in_per_second?: Maybe<number>;
  out_per_second?: Maybe<number>;
  dropped_total?: Maybe<number>;
  identity?: Maybe<string>;
  keep_alive_seconds?: Maybe<number>;
  expiry_seconds?: Maybe<number>;
  ends_in_seconds?: Maybe<number>;
  queue_oldest_seconds?: Maybe<number>;
  traffic?: Maybe<Record<string, number | null>>;
}

export interface HistoryEntry {
  at: string;
  kind: string;
  client_id?: Maybe<string>;
  address?: Maybe<string>;
  by?: Maybe<string>;
  detail?: Maybe<string>;
  explanation?: Maybe<string>;
  reason_code?: Maybe<number>;
}

export interface SubscriptionRow {
  client_id?: Maybe<string>;
  filter: string;
  qos: number;
  no_local?: Maybe<boolean>;
  share?: Maybe<string>;
  retain_handling?: Maybe<number>;
  since_at?: Maybe<string>;
}

export interface SessionDetail extends SessionRow {
  session_expires_at?: Maybe<string>;
  last_packet_at?: Maybe<string>;
  clean_start?: Maybe<boolean>;
  receive_maximum?: Maybe<number>;
  will?: Maybe<{ topic: string; qos: number; retain?: Maybe<boolean>; delay_seconds?: Maybe<number> }>;
  inflight?: Maybe<{ packet_id: number; qos: number; state: string; topic?: Maybe<string>; bytes?: Maybe<number> }[]>;
  queue_limits?: Maybe<{ max_messages?: Maybe<number>; max_bytes?: Maybe<number>; max_age_seconds?: Maybe<number>; overflow?: Maybe<string> }>;
  tls?: Maybe<{ version?: string; cipher?: string; subject?: Maybe<string>; identity?: Maybe<string>; certificate_ends_at?: Maybe<string> }>;
  counters?: Maybe<Record<string, number | null>>;
  drops?: Maybe<Record<string, number>>;
  limits?: Maybe<{ key: string; delayed_total?: Maybe<number> }[]>;
  subscriptions?: Maybe<SubscriptionRow[]>;
  history?: Maybe<HistoryEntry[]>;
}

export interface Waiting {
  position: number;
  /** Null: the message is on disk only. */
  topic?: Maybe<string>;
  qos: number;
  payload_bytes?: Maybe<number>;
  size_bytes?: Maybe<number>;
  queued_at?: Maybe<string>;
  expires_at?: Maybe<string>;
}

export interface QueueRow {
  kind: string;
  name: string;
  messages: number;
  bytes?: Maybe<number>;
  oldest_seconds?: Maybe<number>;
  growth_per_minute?: Maybe<number>;
  full_percent?: Maybe<number>;
  full_in_seconds?: Maybe<number>;
  on_full?: Maybe<string>;
  dropped_total?: Maybe<number>;
}

export interface BridgeRow {
  name: string;
  state: string;
  since_at?: Maybe<string>;
  address?: Maybe<string>;
  cause?: Maybe<string>;
  next_try_at?: Maybe<string>;
  queue_messages?: Maybe<number>;
  queue_bytes?: Maybe<number>;
  oldest_seconds?: Maybe<number>;
  sent_total?: Maybe<number>;
  received_total?: Maybe<number>;
  dropped_total?: Maybe<number>;
  refused_total?: Maybe<number>;
  acknowledged_at?: Maybe<string>;
  round_trip_ms?: Maybe<number>;
  lanes?: Maybe<{ name: string; queue_messages: number; queue_bytes: number; oldest_seconds?: Maybe<number> }[]>;
  routes?: Maybe<(string | { direction?: string; filter?: string; topic?: string; qos?: number; lane?: Maybe<string> })[]>;
}

export interface Rule {
  number?: Maybe<number>;
  file?: Maybe<string>;
  line?: Maybe<number>;
  text?: Maybe<string>;
}

export interface Refusal {
  what: string;
  client_id?: Maybe<string>;
  user?: Maybe<string>;
  address?: Maybe<string>;
  /** The topic or filter. */
  about?: Maybe<string>;
  cause: string;
  reason_code?: Maybe<number>;
  rule?: Maybe<Rule>;
  hint?: Maybe<string>;
  count: number;
  first_at?: Maybe<string>;
  last_at?: Maybe<string>;
}

export interface TopicStats {
  topic: string;
  published_total?: Maybe<number>;
  in_per_second?: Maybe<number>;
  delivered_total?: Maybe<number>;
  bytes_total?: Maybe<number>;
  last_at?: Maybe<string>;
  last_qos?: Maybe<number>;
  last_publisher?: Maybe<string>;
  publishers?: Maybe<{ client_id: string; in_per_second?: Maybe<number> }[]>;
  subscribers_count?: Maybe<number>;
  retained?: Maybe<boolean>;
  evicted?: Maybe<boolean>;
}

export interface RetainedRow {
  topic: string;
  qos: number;
  bytes?: Maybe<number>;
  payload_bytes?: Maybe<number>;
  expires_in_seconds?: Maybe<number>;
  set_at?: Maybe<string>;
  expires_at?: Maybe<string>;
  publisher?: Maybe<string>;
}

export interface RetainedValue extends RetainedRow {
  payload?: Maybe<string>;
  payload_base64?: Maybe<string>;
  payload_truncated?: Maybe<boolean>;
  content_type?: Maybe<string>;
  response_topic?: Maybe<string>;
  correlation_data_base64?: Maybe<string>;
  payload_format?: Maybe<string>;
  expiry_seconds?: Maybe<number>;
  user_properties?: Maybe<[string, string][]>;
}

export interface LogLine {
  id: number;
  at: string;
  level: string;
  area?: Maybe<string>;
  event?: Maybe<number>;
  text: string;
  client_id?: Maybe<string>;
}

export interface Certificate {
  use: string;
  listener?: Maybe<string>;
  name?: Maybe<string>;
  file?: Maybe<string>;
  subject?: Maybe<string>;
  names?: Maybe<string[]>;
  ends_at?: Maybe<string>;
  days_left?: Maybe<number>;
  status?: Maybe<string>;
  cure?: Maybe<string>;
}

export interface TopicMessage {
  topic: string;
  payload?: Maybe<string>;
  payload_base64?: Maybe<string>;
  payload_bytes?: Maybe<number>;
  payload_truncated?: Maybe<boolean>;
  qos?: number;
  retain?: boolean;
  at?: Maybe<string>;
  client_id?: Maybe<string>;
}

export interface Overview {
  node?: Maybe<string>;
  version?: Maybe<string>;
  started_at?: Maybe<string>;
  uptime_seconds?: Maybe<number>;
  health: { status: Health };
  problems?: Maybe<Finding[]>;
  connected_count?: Maybe<number>;
  disconnected_count?: Maybe<number>;
  subscriptions_count?: Maybe<number>;
  retained_count?: Maybe<number>;
  retained_bytes?: Maybe<number>;
  messages_received_total?: Maybe<number>;
  messages_sent_total?: Maybe<number>;
  messages_dropped_total?: Maybe<number>;
  in_per_second?: Maybe<number>;
  out_per_second?: Maybe<number>;
  dropped_per_second?: Maybe<number>;
  stored_messages_count?: Maybe<number>;
  store_bytes?: Maybe<number>;
  memory_used_bytes?: Maybe<number>;
  memory_limit_bytes?: Maybe<number>;
  refusals_count?: Maybe<number>;
  longest_queues?: Maybe<SessionRow[]>;
  top_senders?: Maybe<SessionRow[]>;
  drops_by_cause?: Maybe<Record<string, number>>;
  certificates?: Maybe<Certificate[]>;
  last_change?: Maybe<{ at: string; by?: Maybe<string> }>;
}

export interface HistoryOfMetrics {
  step_seconds: number;
  ends_at?: Maybe<string>;
  series: Record<string, (number | null)[]>;
}

/** Each as `file:line:column: what`. */
export interface ConfigCheck {
  valid: boolean;
  errors?: Maybe<string[]>;
  warnings?: Maybe<string[]>;
  changes?: Maybe<string[]>;
  restart_needed?: Maybe<string[]>;
}

export interface ReloadResult {
  summary?: Maybe<string>;
  changed?: Maybe<string[]>;
  restart_needed?: Maybe<string[]>;
  warnings?: Maybe<string[]>;
}

export interface ReloadEntry {
  at: string;
  by?: Maybe<string>;
  result: ReloadResult & { errors?: Maybe<string[]> };
}
