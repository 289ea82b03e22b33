using EdgeBroker.Configuration.Toml;
using EdgeBroker.Core.Security;

namespace EdgeBroker.Configuration.Schema;

/// <summary>One <c>[[acl]]</c> as read.</summary>
internal sealed record AclDraft(TomlTable Table)
{
    public string User { get; init; } = Glob.Any;

    public string Client { get; init; } = Glob.Any;

    public string Group { get; init; } = Glob.Any;

    public string Listener { get; init; } = Glob.Any;

    public AuthenticationMethod Via { get; init; }

    public IReadOnlyList<string>? Allow { get; init; }

    public IReadOnlyList<string>? Deny { get; init; }

    public int MaxQos { get; init; } = 2;

    public IReadOnlyList<string> Topics { get; init; } = [];

    /// <summary>The place of a key's value; of the table when the key is absent.</summary>
    public SourcePosition At(string key) => Table.Find(key)?.Node.Position ?? Table.Position;
}

/// <summary>One <c>[[group]]</c> as read.</summary>
internal sealed record GroupDraft(TomlTable Table)
{
    public string Name { get; init; } = "";

    public IReadOnlyList<string> Users { get; init; } = [];
}

/// <summary>The keys of <c>[[group]]</c> and <c>[[acl]]</c>.</summary>
internal static class AclTables
{
    private static readonly TextListKind Actions = Kinds.List("\"publish\", \"subscribe\" or \"retain\"", text => text is "publish" or "subscribe" or "retain",
        suggest: text => text.ToLowerInvariant() switch
        {
            "read" or "sub" => "\"subscribe\"",
            "write" or "pub" => "\"publish\" (and \"retain\" for retained ones)",
            "readwrite" or "all" or "*" => "\"publish\", \"subscribe\", \"retain\"",
            _ => NearestName.Of(text, ["publish", "subscribe", "retain"]) is { } nearest ? $"\"{nearest}\"" : null,
        });

    private static readonly ChoiceKind<AuthenticationMethod> Ways =
        Kinds.Choice([("any", AuthenticationMethod.Unknown, ""), .. AccountKinds.All.Select(kind => (kind.Word, kind.Method, ""))]);

    private static readonly TextListKind Topics = Kinds.List("topic filters, in which \"%u\" is the user name and \"%c\" the client id", AclPattern.IsValid,
        suggest: text => text.IndexOf('#') is > 0 and int at && at < text.Length - 1 && AclPattern.IsValid(text[..(at + 1)])
            ? $"\"{text[..(at + 1)]}\", as \"#\" stands at the end only" : null);

    private static readonly KeyScope<AclDraft> Allowing = new(rule => rule.Deny is null, "rules that allow", _ => "this one denies");

    public static readonly TableSchema<GroupDraft> Group = new TableSchema<GroupDraft>("[[group]]")
    {
        IsExample = true,
        Comment = "users by one name, for rules",
    }
        .Key(
            "name", Kinds.Name("the name of a group"), o => o.Name, (o, v) => o with { Name = v }, Applies.AtOnceWithReview, "", required: true,
            example: "\"maintenance\"")
        .Key(
            "users",
            Kinds.Names("user names"),
            o => o.Users,
            (o, v) => o with { Users = v },
            Applies.AtOnceWithReview,
            "",
            required: true,
            example: "[\"anna\", \"bert\", \"contractor-*\"]");

    public static readonly TableSchema<AclDraft> Acl = new TableSchema<AclDraft>("[[acl]]")
    {
        IsExample = true,
        Introduction = "Rules, asked from the top: the first that concerns client, action and topic decides; where none does, the answer is no. "
            + "Without any [[acl]] whoever is let in may do everything. A filter is subscribed only if all it matches may be received: "
            + "one allowing rule covers it whole, "
            + "and no denying rule above that touches it. Try them with `edgebroker acl test`.",
    }
        .Key(
            "user",
            Kinds.MaybeEmpty("a user name, in which \"*\" stands for anything"),
            o => o.User,
            (o, v) => o with { User = v },
            Applies.AtOnceWithReview,
            "\"*\" any characters, \"?\" one; default \"*\". Anonymous clients have the empty name: \"\" is they, \"?*\" all others")
        .Key(
            "client",
            Kinds.MaybeEmpty("a client id, in which \"*\" stands for anything"),
            o => o.Client,
            (o, v) => o with { Client = v },
            Applies.AtOnceWithReview,
            "the client id")
        .Key(
            "group",
            Kinds.Name("the name of a [[group]]"),
            o => o.Group,
            (o, v) => o with { Group = v },
            Applies.AtOnceWithReview,
            "the name of a [[group]]; \"*\": groups do not matter")
        .Key(
            "listener",
            Kinds.Name("the address of a listener, in which \"*\" stands for anything"),
            o => o.Listener,
            (o, v) => o with { Listener = v },
            Applies.AtOnceWithReview,
            "a listener's address, as written above")
        .Key(
            "via",
            Ways,
            o => o.Via,
            (o, v) => o with { Via = v },
            Applies.AtOnceWithReview,
            "what the user name was proved by: a user of the password file, the subject of a token, the name in a certificate, the Unix account of a peer and "
                + "the user of a key are one user to rules that do not say")
        .Key(
            "allow",
            Actions,
            o => o.Allow,
            (o, v) => o with { Allow = v },
            Applies.AtOnceWithReview,
            "retained publishes need \"retain\" besides \"publish\"",
            example: "[\"publish\", \"subscribe\", \"retain\"]")
        .Key("deny", Actions, o => o.Deny, (o, v) => o with { Deny = v }, Applies.AtOnceWithReview, "in place of allow", example: "[\"publish\"]")
        .Key(
            "max_qos",
            Kinds.Integer(0, 2),
            o => o.MaxQos,
            (o, v) => o with { MaxQos = v },
            Applies.AtOnceWithReview,
            "with allow: publishes above are refused, subscriptions lowered",
            scope: Allowing)
        .Key(
            "topics",
            Topics,
            o => o.Topics,
            (o, v) => o with { Topics = v },
            Applies.AtOnceWithReview,
            "%u user name, %c client id, %% a percent sign; a name with / + or # in it, or none, does not fit: what allows then allows nothing. "
                + "\"#\" does not include $SYS",
            required: true,
            example: "[\"plant/#\", \"devices/%c/+\", \"users/%u/#\"]");
}
