using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeBroker.Configuration.Toml;

namespace EdgeBroker.Configuration;

/// <summary>What is told of a configuration and of configurations in general; all of it follows from <see cref="BrokerSchema"/>.</summary>
internal static class ConfigurationDocuments
{
    private static readonly string[] Introduction =
    [
        "EdgeBroker's configuration: every key there is, with its default. A key left out has the value shown here, so a file may be as short as you like. "
        + "Check a file with `edgebroker check -c broker.toml`, run it with `edgebroker -c broker.toml`; a running broker takes a changed one "
        + "with `edgebroker reload -c broker.toml`. This text is what `edgebroker config default` prints; `edgebroker config show` tells what is in force, "
        + "and where it was set.",
        "Strict: an unknown key or an impossible value stops the start and is shown with its line. Durations and sizes carry their unit: "
        + "\"500ms\" \"30s\" \"20m\" \"1h\" \"7d\", \"100B\" \"64KB\" \"1MB\" \"2GB\" (1 KB is 1024 bytes). \"${NAME}\" in a string is the environment's NAME. "
        + "Files conf.d/*.toml beside this one are merged, in the order of their names. Relative paths start at this file's directory.",
    ];

    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // What depends on the machine has an example instead.
    private static readonly BrokerConfiguration Defaults = BrokerConfiguration.Defaults(new NodeOptions { Name = "", DataDirectory = "" });

    /// <summary>The text of broker.toml: every key with its default and what it means.</summary>
    public static string Default()
    {
        var document = new TomlDocument();
        foreach (string paragraph in Introduction)
        {
            document.Blank();
            document.Paragraph(paragraph);
        }

        BrokerSchema.File.WriteTemplate(document, Defaults, isExample: false, isInArray: false);
        return document.ToString();
    }

    /// <summary>A configuration with all that is in force by default, and where each value was set, as TOML. Secrets are shown by their place.</summary>
    public static string Show(BrokerConfiguration configuration)
    {
        var document = new TomlDocument();
        BrokerSchema.File.WriteValues(document, configuration, Defaults, "", configuration.Origins);
        return document.ToString();
    }

    /// <summary>The same values as JSON.</summary>
    public static string ShowJson(BrokerConfiguration configuration) => Write(json => BrokerSchema.File.WriteJson(json, configuration, Defaults));

    /// <summary>The same as JSON in which each value stands with its origin, and whether another one takes a restart.</summary>
    public static string ShowJsonWithOrigins(BrokerConfiguration configuration) =>
        Write(json => BrokerSchema.File.WriteJson(json, configuration, Defaults, "", configuration.Origins));

    /// <summary>A JSON Schema of configurations in the form of <see cref="ShowJson"/>: types, bounds, defaults, and when a change applies.</summary>
    public static string Schema() => Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("$schema", "https://json-schema.org/draft/2020-12/schema");
        json.WriteString("title", "EdgeBroker configuration");
        BrokerSchema.File.WriteSchemaMembers(json, Defaults);
        json.WriteEndObject();
    });

    private static string Write(Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, Indented)) write(json);
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }
}
