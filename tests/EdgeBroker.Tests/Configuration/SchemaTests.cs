using System.Text.Json;
using System.Text.RegularExpressions;
using EdgeBroker.Cli.Options;
using EdgeBroker.Configuration;
using EdgeBroker.Reloading;
using EdgeBroker.Verbs;

namespace EdgeBroker.Tests.Configuration;

/// <summary>What follows from the declaration of keys: broker.toml, the configuration in force, its JSON and its schema, and what a reload says.</summary>
public sealed class SchemaTests : IDisposable
{
    private const string Secret = "0123456789abcdef0123456789abcdef";

    private const string Rich = """
        [node]
        name = "gw-017"
        data_dir = "/var/lib/$${edgebroker}"
        [[listener]]
        protocol = "mqtt"
        address = "127.0.0.1:1883"
        proxy_protocol = true
        proxy_from = ["10.0.0.5"]
        [[listener]]
        protocol = "mqtt"
        address = "unix:/run/mqtt.sock"
        mode = "0600"
        owner = ":plant"
        identity = "peer"
        [[listener]]
        protocol = "ws"
        address = "127.0.0.1:8083"
        path = "/\"quoted\\"
        allowed_origins = ["https://plant.example", "http://[::1]:8080"]
        max_connections = 1_000_000
        [[listener]]
        protocol = "http"
        address = "127.0.0.1:8080"
        [[listener]]
        protocol = "mqtts"
        address = "127.0.0.1:8883"
        [listener.tls]
        cert = "certs/server.crt"
        key = "certs/server.key"
        client_ca = "certs/ca.crt"
        client_auth = "request"
        identity = "san-uri"
        min_version = "1.3"
        [[listener.tls.certificate]]
        cert = "certs/other.crt"
        key = "certs/other.key"
        [mqtt]
        max_packet_size = "1025KB"
        max_keep_alive = "90s"
        queue_overflow = "reject"
        [auth]
        on_denied_publish_v311 = "disconnect"
        [auth.jwt]
        key = { env = "SECRET" }
        audience = "edge\u202Ebroker"
        leeway = "1m"
        [[group]]
        name = "night"
        users = ["anna", "shift-*"]
        [[acl]]
        group = "night"
        allow = ["publish"]
        max_qos = 1
        topics = ["a/#", "b"]
        [[acl]]
        user = ""
        deny = ["subscribe"]
        topics = ["c"]
        [limits]
        auth_failures_per_ip = { rate = "0/m" }
        bytes_per_client = { rate = "1MB/s", burst = "64KB" }
        connections_per_ip = { rate = "100/m", burst = 20 }
        max_memory = "none"
        max_connections = 7
        [storage]
        durability = "memory"
        [log]
        level = "debug"
        """;

    private readonly Given _given = new(Rich);

    public SchemaTests()
    {
        _given.WithEnvironment("SECRET", Secret);
        Certify("ca");
        Certify("server", "localhost");
        Certify("server", "localhost", "--name", "other");
    }

    public void Dispose() => _given.Dispose();

    [Fact]
    public void Broker_toml_is_what_the_declarations_say()
    {
        // Written by: edgebroker config default > broker.toml
        Assert.Equal(ConfigurationDocuments.Default(), File.ReadAllText(Path.Combine(Repository.Root, "broker.toml")));
    }

    [Fact]
    public void No_line_of_broker_toml_is_too_long_to_read() =>
        Assert.All(ConfigurationDocuments.Default().Split('\n'), line => Assert.InRange(line.Length, 0, 160));

    [Fact]
    public void What_is_shown_is_a_configuration_with_the_same_meaning()
    {
        BrokerConfiguration configuration = _given.Valid();
        _given.With("shown.toml", ConfigurationDocuments.Show(configuration));
        BrokerConfiguration shown = _given.Valid("shown.toml");
        Assert.Equal(ConfigurationDocuments.ShowJson(configuration), ConfigurationDocuments.ShowJson(shown));
        ConfigurationChanges changes = ConfigurationChanges.Find(configuration, shown);
        Assert.Empty(changes.Applied);
        Assert.Empty(changes.NeedsRestart);
        Assert.Equal(configuration.Listeners.Count, shown.Listeners.Count);
        Assert.All(configuration.Listeners.Zip(shown.Listeners), pair => Assert.True(pair.First.IsSameAs(pair.Second)));
        Assert.Equal(configuration.Auth.Rules.Rules.Count, shown.Auth.Rules.Rules.Count);
    }

    [Theory]
    [InlineData("name = \"gw-017\"", "broker.toml:2:1")]
    [InlineData("max_keep_alive = \"90s\"", "broker.toml:39:1")]
    [InlineData("max_qos = 2", "default")]
    [InlineData("retain = false", "conf.d/a.toml:2:1")]
    [InlineData("auth_failures_per_ip = { rate = \"0/s\", burst = 1 }", null)]
    [InlineData("max_connections = 1_000_000", "broker.toml:20:1")]
    public void Each_value_is_shown_with_the_place_it_was_set_at(string assignment, string? origin)
    {
        _given.With("conf.d/a.toml", "[mqtt]\nretain = false\n");
        string[] lines = ConfigurationDocuments.Show(_given.Valid()).Split('\n');
        if (origin is null)
        {
            Assert.DoesNotContain(lines, line => line.StartsWith(assignment, StringComparison.Ordinal));
        }
        else
        {
            Assert.Equal(
                origin,
                Assert.Single(
                    lines,
                    line =>
                        line.StartsWith(assignment + " ", StringComparison.Ordinal) && line.EndsWith("# " + origin, StringComparison.Ordinal)).Split("# ")[^1]);
        }
    }

    [Fact]
    public void The_embedded_default_is_shown_as_well()
    {
        string shown = ConfigurationDocuments.Show(_given.Valid(file: null));
        Assert.Matches(
            "\n\\[\\[listener]]\nprotocol = \"mqtt\" +# default\naddress = \"127.0.0.1:1883\" +# default\nallow_anonymous = true +# default\n", shown);
        Assert.DoesNotContain("path =", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("jwt", shown, StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_is_shown_by_its_place_only()
    {
        foreach (string source in new[] { "{ env = \"SECRET\" }", "{ file = \"secret.key\" }" })
        {
            _given.With("secret.key", Secret).With("secret.toml", $"[auth.jwt]\nkey = {source}\n");
            BrokerConfiguration configuration = _given.Valid("secret.toml");
            string shown = ConfigurationDocuments.Show(configuration);
            string json = ConfigurationDocuments.ShowJson(configuration);
            Assert.Contains($"key = {source} ", shown, StringComparison.Ordinal);
            Assert.DoesNotContain(Secret, shown + json, StringComparison.Ordinal);
        }

        using JsonDocument schema = JsonDocument.Parse(ConfigurationDocuments.Schema());
        Assert.True(At(schema.RootElement, "auth", "jwt", "key").GetProperty("x-secret").GetBoolean());
    }

    [Fact]
    public void What_is_in_force_is_valid_by_the_schema()
    {
        using JsonDocument schema = JsonDocument.Parse(ConfigurationDocuments.Schema());
        foreach (string? file in new[] { null, "broker.toml" })
        {
            using JsonDocument values = JsonDocument.Parse(ConfigurationDocuments.ShowJson(_given.Valid(file)));
            List<string> problems = [];
            Validate(schema.RootElement, values.RootElement, "", problems);
            Assert.Empty(problems);
        }
    }

    [Theory]
    [InlineData("""{ "mqtt": { "max_qos": 3 } }""", "/mqtt/max_qos: maximum")]
    [InlineData("""{ "telemetry": { "trace_sample_rate": 1.5 } }""", "/telemetry/trace_sample_rate: maximum")]
    [InlineData("""{ "mqtt": { "max_qos": 0.5 } }""", "/mqtt/max_qos: type")]
    [InlineData("""{ "mqtt": { "max_qoss": 2 } }""", "/mqtt/max_qoss: unknown")]
    [InlineData("""{ "mqtt": { "retain": "yes" } }""", "/mqtt/retain: type")]
    [InlineData("""{ "mqtt": { "queue_overflow": "keep" } }""", "/mqtt/queue_overflow: enum")]
    [InlineData("""{ "mqtt": { "max_keep_alive": "90" } }""", "/mqtt/max_keep_alive: pattern")]
    [InlineData("""{ "listener": [ { "protocol": "mqtt" } ] }""", "/listener/0/address: required")]
    [InlineData("""{ "limits": { "connections_per_ip": { "rate": "100" } } }""", "/limits/connections_per_ip/rate: pattern")]
    public void What_cannot_be_is_not_valid_by_the_schema(string json, string expected)
    {
        using JsonDocument schema = JsonDocument.Parse(ConfigurationDocuments.Schema());
        using JsonDocument values = JsonDocument.Parse(json);
        List<string> problems = [];
        Validate(schema.RootElement, values.RootElement, "", problems);
        Assert.Equal([expected], problems);
    }

    [Fact]
    public void Every_key_says_what_it_means_and_when_a_change_applies()
    {
        using JsonDocument schema = JsonDocument.Parse(ConfigurationDocuments.Schema());
        int keys = 0;
        foreach (JsonElement key in Leaves(schema.RootElement))
        {
            keys++;
            Assert.NotEmpty(key.GetProperty("description").GetString()!);
            Assert.NotEmpty(key.GetProperty("x-applies").GetString()!);
        }

        Assert.InRange(keys, 60, 1_000);
        Assert.Equal("for new connections", At(schema.RootElement, "mqtt", "max_qos").GetProperty("x-applies").GetString());
        Assert.Equal("after a restart: the store is open", At(schema.RootElement, "storage", "max_bytes").GetProperty("x-applies").GetString());
        Assert.Equal("16MB", At(schema.RootElement, "mqtt", "max_packet_size").GetProperty("default").GetString());
    }

    [Fact]
    public void A_change_of_what_tokens_must_be_is_named_and_reviews_clients()
    {
        BrokerConfiguration before = _given.Valid();
        _given.With("broker.toml", "# moved by a line\n" + Rich.Replace("leeway = \"1m\"", "leeway = \"2m\"", StringComparison.Ordinal));
        ConfigurationChanges changes = ConfigurationChanges.Find(before, _given.Valid());
        Assert.Equal(["auth.jwt.leeway"], changes.Applied);
        Assert.True(changes.IsReviewDue);
    }

    [Theory]
    [InlineData(0, "", "config", "show")]
    [InlineData(0, "", "config", "show", "-c", "broker.toml", "--json")]
    [InlineData(0, "", "config", "default")]
    [InlineData(0, "", "config", "schema")]
    [InlineData(64, "a command is missing: show, default, schema", "config")]
    [InlineData(64, "there is no command \"shwo\"; did you mean \"show\"?", "config", "shwo")]
    [InlineData(64, "--json", "config", "schema", "--json")]
    [InlineData(64, "--yaml", "config", "show", "--yaml")]
    [InlineData(78, "nowhere.toml: no such file", "config", "show", "-c", "nowhere.toml")]
    public void The_verb(int expected, string problem, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        Assert.Equal(expected, Run(output, error, arguments));
        Assert.Contains(problem, error.ToString(), StringComparison.Ordinal);
        Assert.Equal(expected == 0, output.ToString().Length > 0);
    }

    private int Run(TextWriter output, TextWriter error, params string[] arguments) => VerbTable.All.Run(arguments, new CommandContext
    {
        Out = output,
        Error = error,
        Environment = name => _given.Environment.GetValueOrDefault(name),
        WorkingDirectory = _given.Directory,
        Time = TimeProvider.System,
    });

    private void Certify(params string[] arguments)
    {
        using var said = new StringWriter();
        Assert.True(Run(said, said, ["cert", .. arguments]) == 0, said.ToString());
    }

    private static JsonElement At(JsonElement schema, params string[] path) =>
        path.Aggregate(schema, (element, name) => element.GetProperty("properties").GetProperty(name));

    private static IEnumerable<JsonElement> Leaves(JsonElement schema)
    {
        if (schema.TryGetProperty("x-applies", out _)) return [schema];
        if (schema.TryGetProperty("items", out JsonElement items)) return Leaves(items);
        return schema.TryGetProperty("properties", out JsonElement properties)
            ? properties.EnumerateObject().SelectMany(property => Leaves(property.Value))
            : [schema];
    }

    /// <summary>As much of JSON Schema as there is in ours.</summary>
    private static void Validate(JsonElement schema, JsonElement value, string path, List<string> problems)
    {
        if (schema.TryGetProperty("enum", out JsonElement words) && !words.EnumerateArray().Any(word => word.GetString() == value.ToString()))
        {
            problems.Add(path + ": enum");
        }

        if (schema.TryGetProperty("type", out JsonElement type) && !IsOf(type.GetString()!, value))
        {
            problems.Add(path + ": type");
        }
        else if (value.ValueKind == JsonValueKind.Number)
        {
            if (schema.TryGetProperty("minimum", out JsonElement minimum) && value.GetDouble() < minimum.GetDouble()) problems.Add(path + ": minimum");
            if (schema.TryGetProperty("maximum", out JsonElement maximum) && value.GetDouble() > maximum.GetDouble()) problems.Add(path + ": maximum");
        }
        else if (value.ValueKind == JsonValueKind.String && schema.TryGetProperty("pattern", out JsonElement pattern)
            && !Regex.IsMatch(value.GetString()!, pattern.GetString()!))
        {
            problems.Add(path + ": pattern");
        }
        else if (value.ValueKind == JsonValueKind.Array)
        {
            int index = 0;
            foreach (JsonElement item in value.EnumerateArray()) Validate(schema.GetProperty("items"), item, $"{path}/{index++}", problems);
        }
        else if (value.ValueKind == JsonValueKind.Object)
        {
            ValidateMembers(schema, value, path, problems);
        }
    }

    private static void ValidateMembers(JsonElement schema, JsonElement value, string path, List<string> problems)
    {
        Assert.False(schema.GetProperty("additionalProperties").GetBoolean());
        if (schema.TryGetProperty("required", out JsonElement required))
        {
            problems.AddRange(
                required.EnumerateArray().Where(name => !value.TryGetProperty(name.GetString()!, out _))
                    .Select(name => $"{path}/{name.GetString()}: required"));
        }

        foreach (JsonProperty member in value.EnumerateObject())
        {
            if (schema.GetProperty("properties").TryGetProperty(member.Name, out JsonElement known))
            {
                Validate(known, member.Value, $"{path}/{member.Name}", problems);
            }
            else
            {
                problems.Add($"{path}/{member.Name}: unknown");
            }
        }
    }

    private static bool IsOf(string type, JsonElement value) =>
        type == TypeOf(value) || (type == "number" && value.ValueKind == JsonValueKind.Number);

    private static string TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => value.TryGetInt64(out _) ? "integer" : "number",
        JsonValueKind.True or JsonValueKind.False => "boolean",
        _ => "null",
    };
}
