"""One MQTT connection of paho's Python client, driven as PROTOCOL.md says."""

import base64
import json
import queue
import sys
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

PATIENCE_SECONDS = 20
output = threading.Lock()


def say(event, **fields):
    line = json.dumps({"event": event, **fields})
    with output:
        print(line, flush=True)


def parse(line):
    verb, *rest = line.rstrip("\n").split("\t")
    fields, user = {}, []
    for field in rest:
        key, value = field.split("=", 1)
        if key == "user":
            user.append(tuple(value.split("=", 1)))
        else:
            fields[key] = value
    return verb, fields, user


class Connection:
    def __init__(self):
        self.client = None
        self.v5 = False
        self.events = queue.Queue()

    def wait(self):
        return self.events.get(timeout=PATIENCE_SECONDS)

    def properties(self, packet_type):
        return Properties(packet_type) if self.v5 else None

    def connect(self, fields, user):
        self.v5 = fields["version"] == "5"
        clean = fields["clean"] == "1"
        transport = "websockets" if fields.get("via") in ("ws", "wss") else "tcp"
        host = "localhost" if "via" in fields else "127.0.0.1"
        if self.v5:
            self.client = mqtt.Client(client_id=fields["id"], protocol=mqtt.MQTTv5, transport=transport)
        else:
            self.client = mqtt.Client(client_id=fields["id"], protocol=mqtt.MQTTv311, clean_session=clean, transport=transport)
        if "ca" in fields:
            self.client.tls_set(ca_certs=fields["ca"])
        self.client.on_connect = lambda c, u, flags, code, p=None: self.events.put((getattr(code, "value", code), flags["session present"]))
        self.client.on_subscribe = lambda c, u, mid, granted, p=None: self.events.put([getattr(g, "value", g) for g in granted])
        self.client.on_unsubscribe = lambda *rest: self.events.put("unsubscribed")
        self.client.on_disconnect = lambda *rest: self.events.put("disconnected")
        self.client.on_message = self.on_message
        if "will-topic" in fields:
            will = self.properties(PacketTypes.WILLMESSAGE)
            if "will-delay" in fields:
                will.WillDelayInterval = int(fields["will-delay"])
            self.client.will_set(
                fields["will-topic"], base64.b64decode(fields["will-payload"]), int(fields["will-qos"]), fields["will-retain"] == "1", properties=will
            )
        if self.v5:
            properties = Properties(PacketTypes.CONNECT)
            if "expiry" in fields:
                properties.SessionExpiryInterval = int(fields["expiry"])
            self.client.connect(host, int(fields["port"]), clean_start=clean, properties=properties)
        else:
            self.client.connect(host, int(fields["port"]))
        self.client.loop_start()
        code, present = self.wait()
        if code != 0:
            raise RuntimeError(f"CONNACK {code}")
        return {"present": bool(present)}

    def subscribe(self, fields, user):
        if self.v5:
            properties = Properties(PacketTypes.SUBSCRIBE)
            if "id" in fields:
                properties.SubscriptionIdentifier = int(fields["id"])
            self.client.subscribe(fields["filter"], options=SubscribeOptions(qos=int(fields["qos"])), properties=properties)
        else:
            self.client.subscribe(fields["filter"], int(fields["qos"]))
        return {"granted": self.wait()[0]}

    def unsubscribe(self, fields, user):
        self.client.unsubscribe(fields["filter"])
        self.wait()
        return {}

    def publish(self, fields, user):
        properties = self.properties(PacketTypes.PUBLISH)
        if self.v5:
            if user:
                properties.UserProperty = user
            if "type" in fields:
                properties.ContentType = fields["type"]
            if "response" in fields:
                properties.ResponseTopic = fields["response"]
            if "correlation" in fields:
                properties.CorrelationData = base64.b64decode(fields["correlation"])
            if "expiry" in fields:
                properties.MessageExpiryInterval = int(fields["expiry"])
            if "format" in fields:
                properties.PayloadFormatIndicator = int(fields["format"])
        info = self.client.publish(
            fields["topic"], base64.b64decode(fields["payload"]), int(fields["qos"]), fields["retain"] == "1", properties=properties
        )
        self.acknowledged(info)
        return {}

    def burst(self, fields, user):
        sent = [self.client.publish(fields["topic"], str(i), int(fields["qos"])) for i in range(int(fields["count"]))]
        for info in sent:
            self.acknowledged(info)
        return {}

    def disconnect(self, fields, user):
        self.client.disconnect()
        self.wait()
        self.client.loop_stop()
        return {}

    @staticmethod
    def acknowledged(info):
        info.wait_for_publish(PATIENCE_SECONDS)
        if not info.is_published():
            raise RuntimeError("a publish was not acknowledged")

    def on_message(self, client, userdata, message):
        fields = {
            "topic": message.topic,
            "payload": base64.b64encode(message.payload).decode(),
            "qos": message.qos,
            "retain": bool(message.retain),
        }
        if self.v5:
            names = {
                "UserProperty": "user",
                "ContentType": "type",
                "ResponseTopic": "response",
                "MessageExpiryInterval": "expiry",
                "PayloadFormatIndicator": "format",
                "SubscriptionIdentifier": "ids",
            }
            for attribute, name in names.items():
                if hasattr(message.properties, attribute):
                    fields[name] = getattr(message.properties, attribute)
            if hasattr(message.properties, "CorrelationData"):
                fields["correlation"] = base64.b64encode(message.properties.CorrelationData).decode()
        say("message", **fields)


def main():
    connection = Connection()
    for line in sys.stdin:
        verb, fields, user = parse(line)
        try:
            say(verb, **getattr(connection, verb)(fields, user))
        except queue.Empty:
            say("error", text=f"no answer to {verb}")
        except Exception as error:  # whatever it was, the test shows it
            say("error", text=f"{verb}: {error!r}")


main()
