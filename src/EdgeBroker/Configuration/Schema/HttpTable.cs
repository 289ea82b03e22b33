using EdgeBroker.Configuration.Toml;
using EdgeBroker.Http.Access;

namespace EdgeBroker.Configuration.Schema;

/// <summary>The <c>[http]</c> table as read, before the files it names are.</summary>
internal sealed record HttpDraft
{
    public SecretSource? AdminToken { get; init; }

    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>The <c>[[http.token]]</c> tables.</summary>
    public IReadOnlyList<HttpTokenDraft> Tokens { get; init; } = [];

    /// <summary>The place of the first secret; null: there is none.</summary>
    public SourcePosition? FirstSecret => AdminToken?.Position ?? (Tokens is [var first, ..] ? first.Table.Position : null);
}

/// <summary>A <c>[[http.token]]</c> as read.</summary>
internal sealed record HttpTokenDraft(TomlTable Table)
{
    public string Name { get; init; } = "";

    public HttpRole Role { get; init; } = HttpRole.Viewer;

    public SecretSource? Token { get; init; }
}

/// <summary>The keys of <c>[http]</c> and <c>[[http.token]]</c>.</summary>
internal static class HttpTable
{
    private static readonly ChoiceKind<HttpRole> Role = Kinds.Choice(
        ("viewer", HttpRole.Viewer, "reads, without payloads"), ("operator", HttpRole.Operator, "kicks, publishes by [[acl]]"), ("admin", HttpRole.Admin,
            "all"));

    private static readonly TableSchema<HttpTokenDraft> Token = new TableSchema<HttpTokenDraft>("[[http.token]]")
    {
        IsExample = true,
        Comment = "further tokens, for programs",
    }
        .Key("name", Kinds.Name("a name for the audit"), o => o.Name, (o, v) => o with { Name = v }, Applies.AtOnce, "", required: true, example: "\"grafana\"")
        .Key("role", Role, o => o.Role, (o, v) => o with { Role = v }, Applies.AtOnce, "")
        .Key(
            "token", Kinds.Secret, o => o.Token, (o, v) => o with { Token = v }, Applies.AtOnce, "", required: true, example: "{ file = \"grafana.token\" }");

    public static readonly TableSchema<HttpDraft> Schema = new TableSchema<HttpDraft>("[http]")
    {
        Comment = "who may administer the broker over http and https listeners: users in a [[group]] named \"viewer\", \"operator\" or \"admin\", and tokens",
    }
        .Key(
            "admin_token",
            Kinds.Secret,
            o => o.AdminToken,
            (o, v) => o with { AdminToken = v },
            Applies.AtOnce,
            "or { env = \"NAME\" }: whoever shows it (Authorization: Bearer) may do everything",
            example: "{ file = \"admin.token\" }")
        .Key(
            "allowed_hosts",
            Kinds.List("host names, as in [\"gw.plant.example\"]", IsHost, mayBeEmpty: true),
            o => o.AllowedHosts,
            (o, v) => o with { AllowedHosts = v },
            Applies.AtOnce,
            "names by which browsers may reach it besides addresses, localhost, the node's name and those in its certificate")
        .TableArray("token", Token, o => o.Tokens, table => new HttpTokenDraft(table), (o, v) => o with { Tokens = v });

    private static bool IsHost(string name) => Uri.CheckHostName(name) == UriHostNameType.Dns;
}
