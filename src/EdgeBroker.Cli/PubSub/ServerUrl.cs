namespace EdgeBroker.Cli.PubSub;

/// <summary>What <c>-L</c> says in one argument.</summary>
internal sealed record ServerUrl
{
    /// <summary>How it is written.</summary>
    public const string Form = "mqtt://[user[:password]@]host[:port]/topic";

    public required string Host { get; init; }

    public int? Port { get; init; }

    public bool IsTls { get; init; }

    public bool IsWebSocket { get; init; }

    public string? User { get; init; }

    public string? Password { get; init; }

    public string? Topic { get; init; }

    /// <summary>Takes it apart; null when it is none.</summary>
    public static ServerUrl? Parse(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? url) || url.Scheme is not ("mqtt" or "mqtts" or "ws" or "wss") || url.Host.Length == 0) return null;
        string[] credentials = url.UserInfo.Length > 0 ? url.UserInfo.Split(':', 2) : [];
        // The text behind the host as it stands: # and + and double slashes belong to the topic.
        int slash = text.IndexOf('/', $"{url.Scheme}://".Length);
        return new ServerUrl
        {
            Host = url.Host.Trim('[', ']'),
            Port = url.Port > 0 && !url.IsDefaultPort ? url.Port : null,
            IsTls = url.Scheme is "mqtts" or "wss",
            IsWebSocket = url.Scheme is "ws" or "wss",
            User = credentials is [var user, ..] ? Uri.UnescapeDataString(user) : null,
            Password = credentials is [_, var password] ? Uri.UnescapeDataString(password) : null,
            Topic = slash >= 0 && slash + 1 < text.Length ? Uri.UnescapeDataString(text[(slash + 1)..]) : null,
        };
    }
}
