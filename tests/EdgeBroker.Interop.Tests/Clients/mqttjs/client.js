// One MQTT connection of MQTT.js, driven as PROTOCOL.md says.
'use strict'

const fs = require('node:fs')
const readline = require('node:readline')
const mqtt = require('mqtt')

let client = null
let v5 = false
let receiveMaximum = 65535

const say = (event, fields) => process.stdout.write(JSON.stringify({ event, ...fields }) + '\n')
const bytes = (text) => Buffer.from(text, 'base64')

function parse(line) {
  const [verb, ...rest] = line.split('\t')
  const fields = {}
  const user = []
  for (const field of rest) {
    const at = field.indexOf('=')
    const key = field.slice(0, at)
    const value = field.slice(at + 1)
    if (key === 'user') user.push([value.slice(0, value.indexOf('=')), value.slice(value.indexOf('=') + 1)])
    else fields[key] = value
  }
  return { verb, fields, user }
}

function message(topic, payload, packet) {
  const fields = { topic, payload: payload.toString('base64'), qos: packet.qos, retain: packet.retain }
  const properties = packet.properties ?? {}
  if (properties.userProperties) {
    // The library groups values by name: an object whose values are strings or lists of them.
    fields.user = Object.entries(properties.userProperties).flatMap(([name, values]) => [values].flat().map((value) => [name, value]))
  }
  if (properties.contentType !== undefined) fields.type = properties.contentType
  if (properties.responseTopic !== undefined) fields.response = properties.responseTopic
  if (properties.correlationData !== undefined) fields.correlation = properties.correlationData.toString('base64')
  if (properties.messageExpiryInterval !== undefined) fields.expiry = properties.messageExpiryInterval
  if (properties.payloadFormatIndicator !== undefined) fields.format = Number(properties.payloadFormatIndicator)
  if (properties.subscriptionIdentifier !== undefined) fields.ids = [properties.subscriptionIdentifier].flat()
  say('message', fields)
}

function publishOptions(fields, user) {
  const options = { qos: Number(fields.qos), retain: fields.retain === '1' }
  if (!v5) return options
  const properties = {}
  if (user.length > 0) {
    properties.userProperties = {}
    for (const [name, value] of user) {
      const earlier = properties.userProperties[name]
      properties.userProperties[name] = earlier === undefined ? value : [earlier, value].flat()
    }
  }
  if ('type' in fields) properties.contentType = fields.type
  if ('response' in fields) properties.responseTopic = fields.response
  if ('correlation' in fields) properties.correlationData = bytes(fields.correlation)
  if ('expiry' in fields) properties.messageExpiryInterval = Number(fields.expiry)
  if ('format' in fields) properties.payloadFormatIndicator = fields.format === '1'
  return { ...options, properties }
}

const verbs = {
  connect(fields) {
    v5 = fields.version === '5'
    const options = {
      host: '127.0.0.1',
      port: Number(fields.port),
      protocolVersion: Number(fields.version),
      clientId: fields.id,
      clean: fields.clean === '1',
      reconnectPeriod: 0,
    }
    if ('via' in fields) {
      Object.assign(options, { protocol: fields.via, host: 'localhost', path: '/mqtt' })
      if ('ca' in fields) options.ca = fs.readFileSync(fields.ca)
    }
    if (v5 && 'expiry' in fields) options.properties = { sessionExpiryInterval: Number(fields.expiry) }
    if ('will-topic' in fields) {
      options.will = {
        topic: fields['will-topic'],
        payload: bytes(fields['will-payload']),
        qos: Number(fields['will-qos']),
        retain: fields['will-retain'] === '1',
      }
      if ('will-delay' in fields) options.will.properties = { willDelayInterval: Number(fields['will-delay']) }
    }
    client = mqtt.connect(options)
    client.on('message', message)
    return new Promise((resolve, reject) => {
      client.once('connect', (connack) => {
        receiveMaximum = connack.properties?.receiveMaximum ?? 65535
        resolve({ present: connack.sessionPresent })
      })
      client.once('error', reject)
    })
  },

  async subscribe(fields) {
    const options = { qos: Number(fields.qos) }
    if (v5 && 'id' in fields) options.properties = { subscriptionIdentifier: Number(fields.id) }
    const [granted] = await client.subscribeAsync(fields.filter, options)
    return { granted: granted.qos }
  },

  async unsubscribe(fields) {
    await client.unsubscribeAsync(fields.filter)
  },

  async publish(fields, user) {
    await client.publishAsync(fields.topic, bytes(fields.payload), publishOptions(fields, user))
  },

  async burst(fields) {
    // The library leaves the server's Receive Maximum to its user.
    const open = new Set()
    for (let i = 0; i < Number(fields.count); i++) {
      if (open.size === receiveMaximum) await Promise.race(open)
      const publish = client.publishAsync(fields.topic, String(i), { qos: Number(fields.qos) }).finally(() => open.delete(publish))
      open.add(publish)
    }
    await Promise.all(open)
  },

  async disconnect() {
    await client.endAsync()
  },
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { verb, fields, user } = parse(line)
    try {
      say(verb, await verbs[verb](fields, user))
    } catch (error) {
      say('error', { text: `${verb}: ${error}` })
    }
  }
  process.exit()
}

main()
