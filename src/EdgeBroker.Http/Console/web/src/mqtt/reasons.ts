// What MQTT's reason codes mean to a person.
const WORDS: Record<number, string> = {
  0x00: 'done', 0x04: 'it disconnected and asked for its will', 0x10: 'nobody is subscribed to it', 0x11: 'there was no such subscription',
  0x80: 'refused without a cause', 0x81: 'the packet is malformed', 0x82: 'the protocol was broken', 0x83: 'the broker does not accept this',
  0x84: 'this MQTT version is not spoken', 0x85: 'the client id is not accepted', 0x86: 'user or password is wrong', 0x87: 'not authorized',
  0x88: 'the broker is not available', 0x89: 'the broker is busy', 0x8a: 'banned', 0x8b: 'the broker is stopping', 0x8c: 'this way to log in is not known',
  0x8d: 'nothing came within the keep alive', 0x8e: 'another client took the client id over', 0x8f: 'the filter is not valid', 0x90: 'the topic is not valid',
  0x91: 'the packet identifier is in use', 0x92: 'the packet identifier is not known', 0x93: 'too many messages unacknowledged', 0x94: 'the topic alias is not valid',
  0x95: 'the packet is too large', 0x96: 'messages come too fast', 0x97: 'a quota is used up', 0x98: 'ended by an administrator',
  0x99: 'the payload is not of the format it claims', 0x9a: 'retained messages are not supported', 0x9b: 'this QoS is not supported',
  0x9c: 'use another server', 0x9d: 'the server has moved', 0x9e: 'shared subscriptions are not supported', 0x9f: 'connections come too fast',
  0xa0: 'the connection lasted as long as it may', 0xa1: 'subscription identifiers are not supported', 0xa2: 'wildcards are not supported',
};

/** `not authorized (0x87)`. */
export function reason(code: number): string {
  const number = `0x${code.toString(16).padStart(2, '0')}`;
  const words = WORDS[code];
  return words ? `${words} (${number})` : number;
}
