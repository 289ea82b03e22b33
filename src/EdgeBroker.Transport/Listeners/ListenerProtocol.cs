namespace EdgeBroker.Transport.Listeners;

/// <summary>What a listener speaks.</summary>
public enum ListenerProtocol
{
    /// <summary>MQTT over plain sockets.</summary>
    Mqtt,

    /// <summary>MQTT over TLS.</summary>
    Mqtts,

    /// <summary>MQTT over WebSocket.</summary>
    Ws,

    /// <summary>MQTT over WebSocket over TLS.</summary>
    Wss,

    /// <summary>HTTP: publishing, health, administration.</summary>
    Http,

    /// <summary>HTTP over TLS.</summary>
    Https,

    /// <summary>CoAP over UDP.</summary>
    Coap,

    /// <summary>CoAP over DTLS.</summary>
    Coaps,
}

/// <summary>What follows from a listener's protocol.</summary>
public static class ListenerProtocols
{
    /// <summary>The protocol as the configuration writes it.</summary>
    public static string ToWord(this ListenerProtocol protocol) => protocol switch
    {
        ListenerProtocol.Mqtt => "mqtt",
        ListenerProtocol.Mqtts => "mqtts",
        ListenerProtocol.Ws => "ws",
        ListenerProtocol.Wss => "wss",
        ListenerProtocol.Http => "http",
        ListenerProtocol.Https => "https",
        ListenerProtocol.Coap => "coap",
        ListenerProtocol.Coaps => "coaps",
        _ => throw new ArgumentOutOfRangeException(nameof(protocol), protocol, "A protocol needs a word."),
    };

    /// <summary>What a word stands for; null: nothing.</summary>
    public static ListenerProtocol? Find(string word)
    {
        foreach (ListenerProtocol protocol in Enum.GetValues<ListenerProtocol>())
        {
            if (protocol.ToWord() == word) return protocol;
        }

        return null;
    }

    /// <summary>Whether TLS comes first.</summary>
    public static bool SpeaksTls(this ListenerProtocol protocol) => protocol is ListenerProtocol.Mqtts or ListenerProtocol.Wss or ListenerProtocol.Https;

    /// <summary>Whether it is carried by datagrams, whose ports are others than those of connections.</summary>
    public static bool UsesDatagrams(this ListenerProtocol protocol) => protocol is ListenerProtocol.Coap or ListenerProtocol.Coaps;

    /// <summary>Whether it answers HTTP requests instead of speaking MQTT.</summary>
    public static bool SpeaksHttp(this ListenerProtocol protocol) => protocol is ListenerProtocol.Http or ListenerProtocol.Https;
}
