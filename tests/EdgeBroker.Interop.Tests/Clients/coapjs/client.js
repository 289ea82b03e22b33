// One request by node-coap: client.js METHOD URL [--payload TEXT] [--size BYTES] [--format TYPE] [--accept TYPE] [--non] [--observe]
// Prints a line for each answer: its code, its Content-Format, the length of its payload and the payload itself. An observer goes on until it is ended.
'use strict'

const coap = require('coap')

const [method, url, ...rest] = process.argv.slice(2)
const given = (name) => {
  const at = rest.indexOf(name)
  return at < 0 ? undefined : rest[at + 1]
}

const { hostname, port, pathname, search } = new URL(url.replace(/^coap:/, 'http:'))
const observe = rest.includes('--observe')
const request = coap.request({
  hostname, port, method: method.toUpperCase(), pathname, query: search.slice(1), confirmable: !rest.includes('--non'), observe,
})
const options = [['Content-Format', '--format'], ['Accept', '--accept']]
for (const [option, name] of options) {
  if (given(name) !== undefined) request.setOption(option, given(name))
}

const print = (code, format, payload) => {
  const shown = payload.length > 200 ? '...' : payload.toString()
  process.stdout.write(`${code} ${format ?? '-'} ${payload.length} ${shown}\n`)
}

request.on('response', (response) => {
  const format = response.headers['Content-Format']
  if (!observe) {
    print(response.code, format, response.payload)
    process.exit(0)
  }

  response.on('data', (payload) => print(response.code, response.headers['Content-Format'], payload))
})
request.on('error', (error) => {
  process.stdout.write(`failed: ${error.message}\n`)
  process.exit(1)
})
const size = given('--size')
// It cuts a body into blocks, here of 512 bytes, where the option says so.
if (size !== undefined) request.setOption('Block1', Buffer.of(5))
request.end(size === undefined ? given('--payload') : Buffer.alloc(Number(size), 'x'))
