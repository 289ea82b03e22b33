/* One MQTT connection of paho's C client, driven as PROTOCOL.md says. */
#define _GNU_SOURCE
#include <MQTTAsync.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The library does not look at the server's Receive Maximum, so the number of open publishes stays below the broker's 100. */
enum { MAX_FIELDS = 32, PATIENCE_SECONDS = 20, OPEN_PUBLISHES = 50, WAITING_PUBLISHES = 10000 };

struct field {
  char *key;
  char *value;
};

static struct field fields[MAX_FIELDS];
static int field_count;

static MQTTAsync client;
static bool v5;

/* What the library's thread reports to the one that reads commands. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int outstanding;
static int failures;
static int answer;

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *encode(const unsigned char *bytes, size_t length) {
  char *text = malloc((length + 2) / 3 * 4 + 1), *end = text;
  for (size_t i = 0; i < length; i += 3) {
    unsigned group = (unsigned)bytes[i] << 16;
    if (i + 1 < length) group |= (unsigned)bytes[i + 1] << 8;
    if (i + 2 < length) group |= bytes[i + 2];
    *end++ = digits[group >> 18];
    *end++ = digits[(group >> 12) & 63];
    *end++ = i + 1 < length ? digits[(group >> 6) & 63] : '=';
    *end++ = i + 2 < length ? digits[group & 63] : '=';
  }
  *end = 0;
  return text;
}

static unsigned char *decode(const char *text, int *length) {
  unsigned char *bytes = malloc(strlen(text) / 4 * 3 + 3), *end = bytes;
  unsigned group = 0;
  int bits = 0;
  for (; *text && *text != '='; text++) {
    group = group << 6 | (unsigned)(strchr(digits, *text) - digits);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      *end++ = (unsigned char)(group >> bits);
    }
  }
  *length = (int)(end - bytes);
  return bytes;
}

static void print_text(const char *text, size_t length) {
  putchar('"');
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c == '"' || c == '\\') printf("\\%c", c);
    else if (c < 0x20) printf("\\u%04x", c);
    else putchar(c);
  }
  putchar('"');
}

static void print_lenstring(const char *name, const MQTTLenString *text) {
  printf(",\"%s\":", name);
  print_text(text->data, (size_t)text->len);
}

static void print_properties(MQTTProperties *properties) {
  bool first = true;
  for (int i = 0; i < properties->count; i++) {
    MQTTProperty *property = &properties->array[i];
    switch (property->identifier) {
      case MQTTPROPERTY_CODE_CONTENT_TYPE: print_lenstring("type", &property->value.data); break;
      case MQTTPROPERTY_CODE_RESPONSE_TOPIC: print_lenstring("response", &property->value.data); break;
      case MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL: printf(",\"expiry\":%u", property->value.integer4); break;
      case MQTTPROPERTY_CODE_PAYLOAD_FORMAT_INDICATOR: printf(",\"format\":%d", property->value.byte); break;
      case MQTTPROPERTY_CODE_CORRELATION_DATA: {
        char *text = encode((unsigned char *)property->value.data.data, (size_t)property->value.data.len);
        printf(",\"correlation\":\"%s\"", text);
        free(text);
        break;
      }
      default: break;
    }
  }
  for (int i = 0; i < properties->count; i++) {
    MQTTProperty *property = &properties->array[i];
    if (property->identifier != MQTTPROPERTY_CODE_USER_PROPERTY) continue;
    printf(first ? ",\"user\":[[" : ",[");
    first = false;
    print_text(property->value.data.data, (size_t)property->value.data.len);
    putchar(',');
    print_text(property->value.value.data, (size_t)property->value.value.len);
    putchar(']');
  }
  if (!first) putchar(']');
  first = true;
  for (int i = 0; i < properties->count; i++) {
    if (properties->array[i].identifier != MQTTPROPERTY_CODE_SUBSCRIPTION_IDENTIFIER) continue;
    printf(first ? ",\"ids\":[%u" : ",%u", properties->array[i].value.integer4);
    first = false;
  }
  if (!first) putchar(']');
}

static int on_message(void *context, char *topic, int topic_length, MQTTAsync_message *message) {
  (void)context;
  char *payload = encode(message->payload, (size_t)message->payloadlen);
  flockfile(stdout);
  printf("{\"event\":\"message\",\"topic\":");
  print_text(topic, topic_length > 0 ? (size_t)topic_length : strlen(topic));
  printf(",\"payload\":\"%s\",\"qos\":%d,\"retain\":%s", payload, message->qos, message->retained ? "true" : "false");
  if (v5) print_properties(&message->properties);
  puts("}");
  funlockfile(stdout);
  free(payload);
  MQTTAsync_freeMessage(&message);
  MQTTAsync_free(topic);
  return 1;
}

static void report(bool success, int value) {
  pthread_mutex_lock(&gate);
  outstanding--;
  if (!success) failures++;
  answer = value;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&gate);
}

static void on_connected(void *context, MQTTAsync_successData *data) { (void)context; report(true, data->alt.connect.sessionPresent); }
static void on_connected5(void *context, MQTTAsync_successData5 *data) { (void)context; report(true, data->alt.connect.sessionPresent); }
static void on_subscribed(void *context, MQTTAsync_successData *data) { (void)context; report(true, data->alt.qos); }
static void on_success5(void *context, MQTTAsync_successData5 *data) { (void)context; report(true, data ? (int)data->reasonCode : 0); }
static void on_success(void *context, MQTTAsync_successData *data) { (void)context; (void)data; report(true, 0); }
static void on_failure(void *context, MQTTAsync_failureData *data) { (void)context; report(false, data ? data->code : 0); }
static void on_failure5(void *context, MQTTAsync_failureData5 *data) { (void)context; report(false, data ? (int)data->reasonCode : 0); }

static const char *find(const char *key) {
  for (int i = 0; i < field_count; i++)
    if (strcmp(fields[i].key, key) == 0) return fields[i].value;
  return NULL;
}

static int number(const char *key, int otherwise) {
  const char *value = find(key);
  return value ? atoi(value) : otherwise;
}

static void error(const char *verb, int code) {
  printf("{\"event\":\"error\",\"text\":\"%s: %d\"}\n", verb, code);
}

static void expect(int count) {
  pthread_mutex_lock(&gate);
  outstanding = count;
  failures = 0;
  pthread_mutex_unlock(&gate);
}

/* Waits until all that was begun has been answered; true when nothing failed. */
static bool complete(const char *verb, int result) {
  if (result != MQTTASYNC_SUCCESS) {
    error(verb, result);
    return false;
  }
  struct timespec deadline;
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_sec += PATIENCE_SECONDS;
  pthread_mutex_lock(&gate);
  while (outstanding > 0 && pthread_cond_timedwait(&changed, &gate, &deadline) == 0) {
  }
  bool good = outstanding == 0 && failures == 0;
  int code = answer;
  pthread_mutex_unlock(&gate);
  if (!good) error(verb, code);
  return good;
}

static MQTTAsync_responseOptions response(void) {
  MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
  if (v5) {
    options.onSuccess5 = on_success5;
    options.onFailure5 = on_failure5;
  } else {
    options.onSuccess = on_success;
    options.onFailure = on_failure;
  }
  return options;
}

static void add_number(MQTTProperties *properties, enum MQTTPropertyCodes code, const char *key) {
  if (!find(key)) return;
  MQTTProperty property = {.identifier = code};
  if (code == MQTTPROPERTY_CODE_PAYLOAD_FORMAT_INDICATOR) property.value.byte = (unsigned char)number(key, 0);
  else property.value.integer4 = (unsigned)number(key, 0);
  MQTTProperties_add(properties, &property);
}

static void add_text(MQTTProperties *properties, enum MQTTPropertyCodes code, const char *key) {
  const char *value = find(key);
  if (!value) return;
  MQTTProperty property = {.identifier = code};
  property.value.data.data = (char *)value;
  property.value.data.len = (int)strlen(value);
  MQTTProperties_add(properties, &property);
}

static void do_connect(void) {
  v5 = number("version", 4) == 5;
  if (client) MQTTAsync_destroy(&client);
  char uri[64];
  snprintf(uri, sizeof uri, "tcp://127.0.0.1:%s", find("port"));
  MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer;
  create.MQTTVersion = v5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
  create.maxBufferedMessages = WAITING_PUBLISHES;
  int result = MQTTAsync_createWithOptions(&client, uri, find("id"), MQTTCLIENT_PERSISTENCE_NONE, NULL, &create);
  if (result == MQTTASYNC_SUCCESS) result = MQTTAsync_setCallbacks(client, NULL, NULL, on_message, NULL);
  if (result != MQTTASYNC_SUCCESS) {
    error("connect", result);
    return;
  }

  MQTTAsync_connectOptions plain = MQTTAsync_connectOptions_initializer, five = MQTTAsync_connectOptions_initializer5;
  MQTTAsync_connectOptions options = v5 ? five : plain;
  MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
  MQTTProperties properties = MQTTProperties_initializer, will_properties = MQTTProperties_initializer;
  options.MQTTVersion = create.MQTTVersion;
  options.maxInflight = OPEN_PUBLISHES;
  if (v5) {
    options.cleanstart = number("clean", 1);
    options.onSuccess5 = on_connected5;
    options.onFailure5 = on_failure5;
    add_number(&properties, MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL, "expiry");
    options.connectProperties = &properties;
  } else {
    options.cleansession = number("clean", 1);
    options.onSuccess = on_connected;
    options.onFailure = on_failure;
  }
  unsigned char *payload = NULL;
  if (find("will-topic")) {
    payload = decode(find("will-payload"), &will.payload.len);
    will.payload.data = payload;
    will.topicName = find("will-topic");
    will.qos = number("will-qos", 0);
    will.retained = number("will-retain", 0);
    options.will = &will;
    if (v5) {
      add_number(&will_properties, MQTTPROPERTY_CODE_WILL_DELAY_INTERVAL, "will-delay");
      options.willProperties = &will_properties;
    }
  }
  expect(1);
  if (complete("connect", MQTTAsync_connect(client, &options))) printf("{\"event\":\"connect\",\"present\":%s}\n", answer ? "true" : "false");
  MQTTProperties_free(&properties);
  MQTTProperties_free(&will_properties);
  free(payload);
}

static void do_subscribe(void) {
  MQTTAsync_responseOptions options = response();
  if (v5) add_number(&options.properties, MQTTPROPERTY_CODE_SUBSCRIPTION_IDENTIFIER, "id");
  else options.onSuccess = on_subscribed;
  expect(1);
  if (complete("subscribe", MQTTAsync_subscribe(client, find("filter"), number("qos", 0), &options))) printf("{\"event\":\"subscribe\",\"granted\":%d}\n", answer);
  MQTTProperties_free(&options.properties);
}

static void do_unsubscribe(void) {
  MQTTAsync_responseOptions options = response();
  expect(1);
  if (complete("unsubscribe", MQTTAsync_unsubscribe(client, find("filter"), &options))) puts("{\"event\":\"unsubscribe\"}");
}

static void add_user_properties(MQTTProperties *properties) {
  for (int i = 0; i < field_count; i++) {
    if (strcmp(fields[i].key, "user") != 0) continue;
    char *value = strchr(fields[i].value, '=');
    MQTTProperty property = {.identifier = MQTTPROPERTY_CODE_USER_PROPERTY};
    property.value.data.data = fields[i].value;
    property.value.data.len = (int)(value - fields[i].value);
    property.value.value.data = value + 1;
    property.value.value.len = (int)strlen(value + 1);
    MQTTProperties_add(properties, &property);
  }
}

static void do_publish(void) {
  MQTTAsync_message message = MQTTAsync_message_initializer;
  message.payload = decode(find("payload"), &message.payloadlen);
  message.qos = number("qos", 0);
  message.retained = number("retain", 0);
  unsigned char *correlation = NULL;
  if (v5) {
    add_user_properties(&message.properties);
    add_text(&message.properties, MQTTPROPERTY_CODE_CONTENT_TYPE, "type");
    add_text(&message.properties, MQTTPROPERTY_CODE_RESPONSE_TOPIC, "response");
    add_number(&message.properties, MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL, "expiry");
    add_number(&message.properties, MQTTPROPERTY_CODE_PAYLOAD_FORMAT_INDICATOR, "format");
    if (find("correlation")) {
      MQTTProperty property = {.identifier = MQTTPROPERTY_CODE_CORRELATION_DATA};
      correlation = decode(find("correlation"), &property.value.data.len);
      property.value.data.data = (char *)correlation;
      MQTTProperties_add(&message.properties, &property);
    }
  }
  MQTTAsync_responseOptions options = response();
  expect(1);
  if (complete("publish", MQTTAsync_sendMessage(client, find("topic"), &message, &options))) puts("{\"event\":\"publish\"}");
  MQTTProperties_free(&message.properties);
  free(correlation);
  free(message.payload);
}

static void do_burst(void) {
  int count = number("count", 0), result = MQTTASYNC_SUCCESS;
  expect(count);
  for (int i = 0; i < count && result == MQTTASYNC_SUCCESS; i++) {
    char text[16];
    MQTTAsync_message message = MQTTAsync_message_initializer;
    MQTTAsync_responseOptions options = response();
    message.payload = text;
    message.payloadlen = snprintf(text, sizeof text, "%d", i);
    message.qos = number("qos", 0);
    result = MQTTAsync_sendMessage(client, find("topic"), &message, &options);
  }
  if (complete("burst", result)) puts("{\"event\":\"burst\"}");
}

static void do_disconnect(void) {
  MQTTAsync_disconnectOptions plain = MQTTAsync_disconnectOptions_initializer, five = MQTTAsync_disconnectOptions_initializer5;
  MQTTAsync_disconnectOptions options = v5 ? five : plain;
  if (v5) options.onSuccess5 = on_success5;
  else options.onSuccess = on_success;
  expect(1);
  if (complete("disconnect", MQTTAsync_disconnect(client, &options))) puts("{\"event\":\"disconnect\"}");
}

static void parse(char *line) {
  field_count = 0;
  strtok(line, "\t\n");
  for (char *text; field_count < MAX_FIELDS && (text = strtok(NULL, "\t\n")) != NULL; field_count++) {
    char *value = strchr(text, '=');
    *value = 0;
    fields[field_count] = (struct field){text, value + 1};
  }
}

int main(void) {
  static const struct {
    const char *name;
    void (*act)(void);
  } verbs[] = {
    {"connect", do_connect}, {"subscribe", do_subscribe}, {"unsubscribe", do_unsubscribe},
    {"publish", do_publish}, {"burst", do_burst},         {"disconnect", do_disconnect},
  };
  setvbuf(stdout, NULL, _IOLBF, 0);
  char *line = NULL;
  size_t capacity = 0;
  while (getline(&line, &capacity, stdin) > 0) {
    parse(line);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
      if (strcmp(verbs[i].name, line) == 0) verbs[i].act();
  }
  free(line);
  return 0;
}
