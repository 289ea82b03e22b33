using System.Globalization;
using EdgeBroker.Protocol;

namespace EdgeBroker.Coap.Gateway;

/// <summary>The arguments of a request to a topic; unknown ones are ignored.</summary>
internal sealed record TopicQuery
{
    private const int MaxClientIdBytes = 1_024;

    /// <summary>QoS; null: not said.</summary>
    public QoS? QoS { get; private set; }

    /// <summary>Whether the message is retained; null: as the method has it.</summary>
    public bool? Retain { get; private set; }

    /// <summary>When it expires, in seconds; null: never.</summary>
    public uint? ExpirySeconds { get; private set; }

    /// <summary>The client id; null: none given.</summary>
    public string? ClientId { get; private set; }

    public string? UserName { get; private set; }

    public string? Password { get; private set; }

    /// <summary>Whether an observer gets every message, and not only the latest.</summary>
    public bool IsQueue { get; private set; }

    /// <summary>The same without name and password, and with a client id in place of the one given; null: the one given.</summary>
    public TopicQuery WithoutCredentials(string? clientId) => this with { UserName = null, Password = null, ClientId = clientId ?? ClientId };

    /// <summary>Reads the arguments; false: one has a value it cannot have.</summary>
    public static bool TryRead(IReadOnlyList<string> arguments, out TopicQuery query, out string why)
    {
        query = new TopicQuery();
        foreach (string argument in arguments)
        {
            int equals = argument.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? argument : argument[..equals];
            string value = equals < 0 ? "" : argument[(equals + 1)..];
            if (query.TryTake(key, value, equals >= 0)) continue;
            why = $"query: {key} cannot be what it says";
            return false;
        }

        why = "";
        return true;
    }

    private bool TryTake(string key, string value, bool hasValue)
    {
        switch (key)
        {
            case "qos" or "q":
                QoS = value is ['0' or '1' or '2'] ? (QoS)(value[0] - '0') : null;
                return QoS is not null;
            case "retain" or "r":
                Retain = value switch { "1" or "true" => true, "" when !hasValue => true, "0" or "false" => false, _ => null };
                return Retain is not null;
            case "expiry" or "e":
                ExpirySeconds = uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out uint seconds) ? seconds : null;
                return ExpirySeconds is not null;
            case "c" or "clientid":
                ClientId = value;
                return IsClientId(value);
            case "u":
                UserName = value;
                return true;
            case "p":
                Password = value;
                return true;
            case "mode":
                IsQueue = value == "queue";
                return value is "queue" or "state";
            default:
                return true;
        }
    }

    private static bool IsClientId(string value)
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(value);
        return bytes.Length is > 0 and <= MaxClientIdBytes && Utf8Text.IsValid(bytes) && !Core.Receivers.ReservedIds.IsReserved(bytes);
    }
}
