using System.Text.Json;

namespace EdgeBroker.Cli.Control;

/// <summary>What a verb asks of a running broker.</summary>
/// <param name="Ask">What is asked for: one of the constants here.</param>
public sealed record ControlRequest(string Ask)
{
    public const string Reload = "reload";
    public const string Status = "status";
    public const string Clients = "clients";
    public const string Session = "session";
    public const string Kick = "kick";
    public const string Retained = "retained";
    public const string RetainedGet = "retained-get";
    public const string RetainedDelete = "retained-delete";
    public const string Subscriptions = "subscriptions";
    public const string Shared = "shared";
    public const string Refusals = "refusals";
    public const string LogLevel = "log-level";
    public const string Console = "console";
    public const string Bridges = "bridges";
    public const string BridgeOrder = "bridge-order";
    public const string Cluster = "cluster";
    public const string ClusterInit = "cluster-init";
    public const string ClusterRemove = "cluster-remove";
    public const string ClusterReplace = "cluster-replace";

    /// <summary>Rows of a page when nothing else is said.</summary>
    public const int UsualLimit = 100;

    /// <summary>Most rows of a page.</summary>
    public const int MostRows = 10_000;

    /// <summary>A client id; for a list, with <c>*</c> and <c>?</c>.</summary>
    public string? ClientId { get; init; }

    /// <summary>A user, with <c>*</c> and <c>?</c>.</summary>
    public string? User { get; init; }

    /// <summary>A bridge.</summary>
    public string? Bridge { get; init; }

    /// <summary>A node of the cluster.</summary>
    public int? Node { get; init; }

    /// <summary>What it is to do: <c>start</c>, <c>stop</c>, <c>drain</c> or <c>purge</c>.</summary>
    public string? Order { get; init; }

    /// <summary>Whether sessions with a connection are meant; null: all.</summary>
    public bool? Connected { get; init; }

    /// <summary>A topic; for a list, a topic filter.</summary>
    public string? Topic { get; init; }

    /// <summary>Behind which row a page begins; null: with the first.</summary>
    public string? After { get; init; }

    /// <summary>Most rows.</summary>
    public int Limit { get; init; } = UsualLimit;

    /// <summary>Whether the session ends, too.</summary>
    public bool Forget { get; init; }

    /// <summary>Of a session that ends: whether its will is published.</summary>
    public bool PublishWill { get; init; }

    /// <summary>An area of the log; null: all are only shown.</summary>
    public string? Area { get; init; }

    /// <summary>The level it is to have; null: it is only shown; "default": none of its own.</summary>
    public string? Level { get; init; }

    /// <summary>After how many seconds the level goes by itself; null: it stays.</summary>
    public long? Seconds { get; init; }

    /// <summary>The request as it goes over the socket, its line's end included.</summary>
    public byte[] ToBytes() => [.. JsonSerializer.SerializeToUtf8Bytes(this, ControlJson.Default.ControlRequest), (byte)'\n'];

    /// <summary>Reads what came over the socket; null when it is none.</summary>
    public static ControlRequest? FromBytes(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ControlJson.Default.ControlRequest) is { Ask: not null } request ? request : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
