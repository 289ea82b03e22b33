using System.Text.Json;
using EdgeBroker.Configuration.Toml;

namespace EdgeBroker.Configuration.Schema;

/// <summary>A few keys that belong together, written as one value in braces. What is left out has its default.</summary>
internal sealed class InlineTableKind<T>(TableSchema<T> schema, T defaults) : CompositeKind<T>(Show(schema, defaults))
    where T : class
{
    public override string ToToml(T value) => Show(schema, value);

    public override void WriteJson(Utf8JsonWriter json, T value) => schema.WriteJson(json, value, defaults);

    public override void WriteSchema(Utf8JsonWriter json) => schema.WriteSchemaMembers(json, defaults);

    public override bool TryRead(TomlEntry entry, BindContext context, out T value)
    {
        value = defaults;
        if (entry.Node is not TomlTable table)
        {
            Reject(entry, null, null, context);
            return false;
        }

        value = schema.Bind(table, defaults, context, path: null);
        return true;
    }

    private static string Show(TableSchema<T> schema, T value)
    {
        var document = new TomlDocument();
        schema.WriteValues(document, value, value, "", new Dictionary<string, SourcePosition>());
        return document.ToInlineTable();
    }
}
