using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Interop.Tests.Clients;

/// <summary>A foreign client in a process of its own, driven as Clients/PROTOCOL.md says.</summary>
internal sealed class DriverClient : IForeignClient
{
    private readonly ChildProcess _process;

    public DriverClient(ProcessStartInfo start, bool groupsUserProperties = false)
    {
        _process = new ChildProcess(start, keepsInput: true);
        GroupsUserProperties = groupsUserProperties;
    }

    public bool GroupsUserProperties { get; }

    public async Task<bool> ConnectAsync(ForeignConnect connect)
    {
        var fields = new Fields
        {
            ["port"] = Show(connect.Port),
            ["version"] = connect.Version == Versions.V5 ? "5" : "4",
            ["id"] = connect.ClientId,
            ["clean"] = Show(connect.Clean),
            ["expiry"] = Show(connect.ExpirySeconds),
            ["will-topic"] = connect.Will?.Topic,
            ["will-payload"] = Show(connect.Will?.Payload),
            ["will-qos"] = Show(connect.Will?.QoS),
            ["will-retain"] = Show(connect.Will?.Retain),
            ["will-delay"] = Show(connect.WillDelaySeconds),
            ["via"] = connect.Via,
            ["ca"] = connect.AuthorityFile,
        };
        return (await AskAsync("connect", fields)).Present;
    }

    public async Task<int> SubscribeAsync(string filter, int qos, uint identifier = 0)
    {
        var fields = new Fields { ["filter"] = filter, ["qos"] = Show(qos), ["id"] = identifier == 0 ? null : Show(identifier) };
        return (await AskAsync("subscribe", fields)).Granted;
    }

    public Task UnsubscribeAsync(string filter) => AskAsync("unsubscribe", new Fields { ["filter"] = filter });

    public Task PublishAsync(ForeignMessage message)
    {
        var fields = new Fields
        {
            ["topic"] = message.Topic,
            ["payload"] = Show(message.Payload),
            ["qos"] = Show(message.QoS),
            ["retain"] = Show(message.Retain),
            ["type"] = message.ContentType,
            ["response"] = message.ResponseTopic,
            ["correlation"] = Show(message.Correlation),
            ["expiry"] = Show(message.ExpirySeconds),
            ["format"] = Show(message.Format),
        };
        return AskAsync("publish", fields, message.User);
    }

    public Task BurstAsync(string topic, int qos, int count) =>
        AskAsync("burst", new Fields { ["topic"] = topic, ["qos"] = Show(qos), ["count"] = Show(count) });

    public async Task<ForeignMessage> MessageAsync()
    {
        Answer answer = Parse(await _process.TakeLineAsync(line => Parse(line).Event == "message"));
        return new ForeignMessage(answer.Topic, answer.Payload, answer.Qos)
        {
            Retain = answer.Retain,
            User = answer.User?.Select(pair => (pair[0], pair[1])).ToArray(),
            ContentType = answer.Type,
            ResponseTopic = answer.Response,
            Correlation = answer.Correlation,
            ExpirySeconds = answer.Expiry,
            Format = answer.Format,
            Identifiers = answer.Ids,
        };
    }

    public Task DisconnectAsync() => AskAsync("disconnect", []);

    public void Break() => _process.Kill();

    public void Dispose() => _process.Dispose();

    private async Task<Answer> AskAsync(string verb, Fields fields, (string Name, string Value)[]? user = null)
    {
        IEnumerable<string> words = [verb, .. fields.Where(field => field.Value is not null).Select(field => $"{field.Key}={field.Value}")];
        _process.Say(string.Join('\t', words.Concat((user ?? []).Select(pair => $"user={pair.Name}={pair.Value}"))));
        string line = await _process.TakeLineAsync(line => Parse(line).Event is "error" || Parse(line).Event == verb);
        Answer answer = Parse(line);
        Assert.True(answer.Event == verb, $"{verb}: {answer.Text}");
        return answer;
    }

    private static Answer Parse(string line) =>
        line.StartsWith('{') ? JsonSerializer.Deserialize<Answer>(line, JsonSerializerOptions.Web)! : new Answer();

    private static string? Show(int? number) => number?.ToString(CultureInfo.InvariantCulture);

    private static string? Show(uint? number) => number?.ToString(CultureInfo.InvariantCulture);

    private static string? Show(bool? flag) => flag switch { null => null, true => "1", false => "0" };

    private static string? Show(byte[]? bytes) => bytes is null ? null : Convert.ToBase64String(bytes);

    private sealed class Fields : Dictionary<string, string?>;

    /// <summary>A line of a driver.</summary>
    private sealed class Answer
    {
        public string Event { get; init; } = "";

        public string Text { get; init; } = "";

        public bool Present { get; init; }

        public int Granted { get; init; }

        public string Topic { get; init; } = "";

        public byte[] Payload { get; init; } = [];

        public int Qos { get; init; }

        public bool Retain { get; init; }

        public string[][]? User { get; init; }

        public string? Type { get; init; }

        public string? Response { get; init; }

        public byte[]? Correlation { get; init; }

        public uint? Expiry { get; init; }

        public int? Format { get; init; }

        public uint[]? Ids { get; init; }

        [JsonExtensionData]
        public Dictionary<string, JsonElement>? Others { get; init; }
    }
}
