using System.Text.Json;
using EdgeBroker.Configuration.Toml;

namespace EdgeBroker.Configuration.Schema;

/// <summary>A header of an HTTP request: its text, or where that is kept.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Text">Its text; null: it is a secret.</param>
/// <param name="Secret">Where its text is kept.</param>
internal sealed record HeaderDraft(string Name, string? Text, SecretSource? Secret);

/// <summary>Headers by their names; those that are secrets by the place of what they say.</summary>
internal sealed class HeadersKind()
    : CompositeKind<IReadOnlyList<HeaderDraft>>("a table of headers, as in { X-Plant = \"7\", Authorization = { env = \"NAME\" } }")
{
    private const string Separators = "!#$%&'*+-.^_`|~";

    // What the request is made of.
    private static readonly string[] Taken =
        ["host", "content-type", "content-length", "content-encoding", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect", "user-agent"];

    private static readonly string[] Secretive = ["authorization", "cookie", "token", "secret", "key", "password"];

    private static readonly SecretKind Secret = new();

    private static readonly TextKind Plain = new("a text without control characters", text => text.Length is > 0 and <= 4096 && !text.Any(char.IsControl));

    public override string ToToml(IReadOnlyList<HeaderDraft> value) =>
        value.Count == 0 ? "{}" : $"{{ {string.Join(", ", value.Select(one => $"{ValueText.ToToml(one.Name)} = {ToToml(one)}"))} }}";

    public override void WriteJson(Utf8JsonWriter json, IReadOnlyList<HeaderDraft> value)
    {
        json.WriteStartObject();
        foreach (HeaderDraft one in value)
        {
            json.WritePropertyName(one.Name);
            if (one.Secret is null) Plain.WriteJson(json, one.Text!);
            else Secret.WriteJson(json, one.Secret);
        }

        json.WriteEndObject();
    }

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "object");
        json.WriteStartObject("additionalProperties");
        json.WriteStartArray("type");
        json.WriteStringValue("string");
        json.WriteStringValue("object");
        json.WriteEndArray();
        json.WriteEndObject();
    }

    public override bool AreEqual(object? one, object? other) =>
        one is IReadOnlyList<HeaderDraft> headers && other is IReadOnlyList<HeaderDraft> others
            ? ToToml(headers) == ToToml(others)
            : Equals(one, other);

    public override bool TryRead(TomlEntry entry, BindContext context, out IReadOnlyList<HeaderDraft> value)
    {
        var headers = new List<HeaderDraft>();
        value = headers;
        if (entry.Node is not TomlTable table)
        {
            Reject(entry, null, null, context);
            return false;
        }

        int before = context.Errors.Count;
        foreach (TomlEntry header in table.Entries)
        {
            if (ProblemOf(header.Name) is { } problem)
            {
                context.Errors.Add(header.Position, problem);
            }
            else if (header.Node is TomlTable || Secretive.Any(word => header.Name.Contains(word, StringComparison.OrdinalIgnoreCase)))
            {
                if (Secret.TryRead(header, context, out SecretSource source)) headers.Add(new HeaderDraft(header.Name, null, source));
            }
            else if (Plain.TryRead(header, context, out string text))
            {
                headers.Add(new HeaderDraft(header.Name, text, null));
            }
        }

        return context.Errors.Count == before;
    }

    private static string ToToml(HeaderDraft one) => one.Secret is null ? Plain.ToToml(one.Text!) : Secret.ToToml(one.Secret);

    private static string? ProblemOf(string name)
    {
        if (name.Length is 0 or > 256 || !name.All(letter => char.IsAsciiLetterOrDigit(letter) || Separators.Contains(letter)))
        {
            return $"{ValueText.Quote(name)} is no name of a header";
        }

        return Taken.Contains(name.ToLowerInvariant()) || name.StartsWith("webhook-", StringComparison.OrdinalIgnoreCase)
            ? $"{ValueText.Quote(name)} is a header that the broker writes itself"
            : null;
    }
}
