using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using EdgeBroker.Core;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;
using EdgeBroker.Storage.Journal;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Tools;

/// <summary>Makes rows of a new store from lines. Every field is checked as if a client had sent it: what is wrong is a <see cref="FormatException"/>.
/// </summary>
internal sealed class ImportedRows : IDisposable
{
    /// <summary>The version of the form the lines have.</summary>
    public const int Version = 1;

    // As many as mqtt.max_topic_levels may allow.
    private const int MostLevels = 1_000;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 4 };

    private readonly ImportStatements _statements;
    private readonly Dictionary<string, ImportedSession> _sessions = new(StringComparer.Ordinal);
    private readonly DeliveryRows _deliveries = new();
    private bool _hasBegun;
    private bool _hasEnded;
    private int _subscriptions;
    private long _messages;
    private int _retained;
    private long _lastMessage;

    /// <param name="database">A new store, in a transaction.</param>
    public ImportedRows(SqliteDatabase database) => _statements = new ImportStatements(database);

    /// <summary>Takes a line in.</summary>
    /// <exception cref="FormatException">It is not what a store can hold.</exception>
    /// <exception cref="SqliteException">It could not be written.</exception>
    public void Add(ReadOnlyMemory<byte> line)
    {
        if (!Utf8.IsValid(line.Span)) throw new FormatException("it is no UTF-8");
        using JsonDocument document = Parse(line);
        var fields = new JsonFields(document.RootElement);
        string type = fields.Text("type");
        if (_hasEnded) throw new FormatException("it is behind the line {\"type\":\"end\"}, which is the last one");
        if (_hasBegun == (type == "store"))
        {
            throw new FormatException(_hasBegun ? "a second line of type \"store\"" : "the first line has to be of type \"store\"");
        }

        switch (type)
        {
            case "store": AddClock(fields); break;
            case "session": AddSession(fields); break;
            case "subscription": AddSubscription(fields); break;
            case "received": AddReceivedId(fields); break;
            case "message": AddMessage(fields); break;
            case "retained": AddRetained(fields); break;
            case "end": _hasEnded = true; break;
            default: throw new FormatException($"the type \"{type}\" is unknown");
        }

        fields.End();
    }

    /// <summary>Writes what is known only now.</summary>
    /// <exception cref="FormatException">The last line is missing.</exception>
    /// <exception cref="SqliteException">It could not be written.</exception>
    public StoreTransfer Complete()
    {
        if (!_hasEnded) throw new FormatException("the file ends here, without a line {\"type\":\"end\"}: it was cut off");
        _deliveries.Close();
        WriteDeliveries();
        foreach (ImportedSession session in _sessions.Values) _statements.AddProgress(session);
        return new StoreTransfer(_sessions.Count, _subscriptions, _messages, _retained);
    }

    /// <inheritdoc/>
    public void Dispose() => _statements.Dispose();

    private static JsonDocument Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            return JsonDocument.Parse(line, Strict);
        }
        catch (JsonException failure)
        {
            throw new FormatException($"it is no JSON from byte {(failure.BytePositionInLine ?? 0) + 1} on");
        }
    }

    private void AddClock(JsonFields fields)
    {
        long version = fields.Number("version", 1, JsonFields.LargestNumber);
        if (version != Version) throw new FormatException($"it is of version {version}, and this broker reads version {Version}");
        _statements.AddClock(fields.Number("age_ms", 0, JsonFields.LargestNumber), fields.Number("wall_ms", 0, JsonFields.LargestNumber));
        _hasBegun = true;
    }

    private void AddSession(JsonFields fields)
    {
        string clientId = fields.Text("client_id");
        if (clientId.Length == 0) throw new FormatException("\"client_id\" is empty");
        string? owner = fields.IsNull("owner") ? null : fields.Text("owner");
        long expirySeconds = fields.Number("expiry_seconds", 1, uint.MaxValue);
        bool isConnected = fields.Flag("connected");
        long endsAtMs = fields.NumberOr("ends_at_ms", SessionSaved.Never);
        long willAtMs = fields.NumberOr("will_at_ms", SessionSaved.Never);
        long sentPosition = fields.NumberOr("sent_position", SessionSaved.Never);
        var session = new ImportedSession(_sessions.Count + 1, fields.Number("last_position", 0, JsonFields.LargestNumber));
        Will? will = fields.IsNull("will") ? null : ReadWill(new JsonFields(fields.Take("will")));
        QueuePolicy? policy = fields.IsNull("queue_policy") ? null : ReadQueuePolicy(new JsonFields(fields.Take("queue_policy")));
        if (!_sessions.TryAdd(clientId, session)) throw new FormatException($"a second session of \"{clientId}\"");
        _statements.AddSession(session.Id, clientId, owner, expirySeconds, isConnected, endsAtMs, willAtMs, sentPosition, will, policy);
    }

    private static Will ReadWill(JsonFields fields)
    {
        Message message = ReadContent(fields, Message.Never);
        var delaySeconds = (uint)fields.Number("delay_seconds", 0, uint.MaxValue);
        long expirySeconds = fields.NumberOr("expiry_seconds", -1, uint.MaxValue);
        fields.End();
        return new Will(message, delaySeconds, expirySeconds < 0 ? null : (uint)expirySeconds);
    }

    private static QueuePolicy ReadQueuePolicy(JsonFields fields)
    {
        var maxMessages = (int)fields.Number("max_messages", 0, int.MaxValue);
        long maxBytes = fields.Number("max_bytes", 0, JsonFields.LargestNumber);
        long maxAgeMs = fields.NumberOr("max_age_ms", -1, QueuePolicyBlob.LongestAgeMs);
        long maxStoreBytes = fields.NumberOr("max_store_bytes", -1);
        string word = fields.Text("overflow");
        if (!QueueOverflowWords.TryParse(word, out QueueOverflow overflow)) throw new FormatException($"\"overflow\" cannot be \"{word}\"");
        bool keepsQoS0 = fields.Flag("keeps_qos0");
        fields.End();
        return new QueuePolicy(
            maxMessages,
            maxBytes,
            maxAgeMs < 0 ? null : TimeSpan.FromMilliseconds(maxAgeMs),
            maxStoreBytes < 0 ? null : maxStoreBytes,
            overflow,
            keepsQoS0);
    }

    private void AddSubscription(JsonFields fields)
    {
        ImportedSession session = SessionOf(fields);
        byte[] filter = ReadFilter(fields, "filter");
        var options = new SubscriptionOptions((byte)fields.Number("options", 0, byte.MaxValue));
        if (!options.IsValid(ProtocolVersion.V5)) throw new FormatException("\"options\" are none a SUBSCRIBE may have");
        if (!_statements.AddSubscription(session.Id, filter, options.Value, fields.Number("identifier", 0, VariableByteInteger.MaxValue)))
        {
            throw new FormatException("the session has this subscription already");
        }

        _subscriptions++;
    }

    private void AddReceivedId(JsonFields fields)
    {
        if (!_statements.AddReceivedId(SessionOf(fields).Id, fields.Number("packet_id", 1, ushort.MaxValue)))
        {
            throw new FormatException("the session has this packet identifier already");
        }
    }

    private void AddMessage(JsonFields fields)
    {
        long id = fields.Number("id", 1, JsonFields.LargestNumber);
        if (id <= _lastMessage) throw new FormatException($"message {id} is behind message {_lastMessage}; they go in ascending order");
        Message message = ReadContent(fields, null);
        long queuedAtMs = fields.Number("queued_at_ms", 0, int.MaxValue * 1000L);
        JsonElement receivers = fields.Take("receivers");
        if (receivers.ValueKind != JsonValueKind.Array || receivers.GetArrayLength() == 0)
        {
            throw new FormatException("\"receivers\" is no list of those who wait for the message");
        }

        _lastMessage = id;
        _deliveries.Begin(id, new WaitingMessage(receivers.GetArrayLength(), message.SizeBytes, message.ExpiresAtMs, queuedAtMs));
        WriteDeliveries();
        foreach (JsonElement receiver in receivers.EnumerateArray()) AddReceiver(new JsonFields(receiver), id);
        _statements.AddMessage(id, message);
        _messages++;
    }

    private void AddReceiver(JsonFields fields, long message)
    {
        ImportedSession session = SessionOf(fields);
        long position = fields.Number("position", 1, JsonFields.LargestNumber);
        if (session.Open.Contains(position)) throw new FormatException($"the session has another message at position {position}");
        session.Open.Add(position);
        var qos = (QoS)fields.Number("qos", 0, 2);
        bool retain = fields.Flag("retain");
        uint[] identifiers = fields.Numbers("identifiers", 1, VariableByteInteger.MaxValue);
        byte[]? sharedFilter = fields.IsNull("shared_filter") ? null : ReadFilter(fields, "shared_filter");
        if (fields.Flag("released"))
        {
            if (qos != QoS.ExactlyOnce) throw new FormatException("\"released\" is for QoS 2 only");
            session.Released.Add(position);
        }

        fields.End();
        _deliveries.Add(session.Id, new StoredDelivery(new SqliteSession(""), position, message)
        {
            QoS = qos,
            Retain = retain,
            SubscriptionIdentifiers = identifiers.Length == 0 ? null : identifiers,
            SharedFilter = sharedFilter,
        });
    }

    private void AddRetained(JsonFields fields)
    {
        Message message = ReadContent(fields, null);
        if (message.Payload.Length == 0) throw new FormatException("\"payload\" is empty: that would be no retained message");
        if (IsBrokersOwn(message.Topic)) throw new FormatException("\"topic\" is one that the broker itself publishes");
        if (!_statements.AddRetained(++_retained, message)) throw new FormatException("a second retained message of this topic");
    }

    // Retained under $SYS by others are the states of bridges only.
    private static bool IsBrokersOwn(ReadOnlySpan<byte> topic) =>
        topic.SequenceEqual("$SYS"u8) || (topic.StartsWith("$SYS/"u8) && !topic.StartsWith("$SYS/broker/connection/"u8));

    private void WriteDeliveries()
    {
        foreach ((long first, byte[] receivers) in _deliveries.Complete) _statements.AddDelivery(first, receivers);
        _deliveries.Complete.Clear();
    }

    private ImportedSession SessionOf(JsonFields fields)
    {
        string clientId = fields.Text("client_id");
        return _sessions.TryGetValue(clientId, out ImportedSession? session) ? session
            : throw new FormatException($"no line before it is a session of \"{clientId}\"");
    }

    private static byte[] ReadFilter(JsonFields fields, string name)
    {
        byte[] filter = Encoding.UTF8.GetBytes(fields.Text(name));
        if (!TopicFilter.IsValid(filter)) throw new FormatException($"\"{name}\" is no topic filter");
        RefuseManyLevels(filter, name);
        return filter;
    }

    private static void RefuseManyLevels(ReadOnlySpan<byte> text, string name)
    {
        if (TopicName.CountLevels(text) > MostLevels) throw new FormatException($"\"{name}\" has more than {MostLevels} levels");
    }

    /// <summary>A message.</summary>
    /// <param name="fields">Where it is among others.</param>
    /// <param name="expiresAtMs">When it expires; null: a field says so.</param>
    private static Message ReadContent(JsonFields fields, long? expiresAtMs)
    {
        byte[] topic = Encoding.UTF8.GetBytes(fields.Text("topic"));
        if (!TopicName.IsValid(topic)) throw new FormatException("\"topic\" is no topic name");
        RefuseManyLevels(topic, "topic");
        byte[] payload = fields.Bytes("payload");
        byte[] properties = fields.Bytes("properties");
        if (!PropertyBlock.AreForwardable(properties)) throw new FormatException("\"properties\" are none that go with a message");
        if ((long)topic.Length + payload.Length + properties.Length > VariableByteInteger.MaxValue)
        {
            throw new FormatException("the message is larger than any packet");
        }

        return new Message
        {
            Topic = topic,
            Payload = payload,
            Properties = properties,
            QoS = (QoS)fields.Number("qos", 0, 2),
            Retain = fields.Flag("retain"),
            ExpiresAtMs = expiresAtMs ?? fields.NumberOr("expires_at_ms", Message.Never),
        };
    }
}

/// <summary>A session that is being imported.</summary>
/// <param name="Id">Its number in the new store.</param>
/// <param name="LastPosition">Up to here every position is done with that no message names.</param>
internal sealed record ImportedSession(long Id, long LastPosition)
{
    /// <summary>Positions that messages wait under.</summary>
    public DoneSet Open { get; } = new();

    /// <summary>Those of them that PUBREC came for.</summary>
    public SortedSet<long> Released { get; } = [];
}
