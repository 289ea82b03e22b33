using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>What went wrong with a connection or a request, in a sentence that says what to do about it.</summary>
public sealed class MqttException : Exception
{
    /// <summary>Makes an exception.</summary>
    /// <param name="message">A whole sentence for a technician.</param>
    /// <param name="reason">The reason code, where the protocol gave one.</param>
    /// <param name="inner">The cause, where it was an exception of the network.</param>
    public MqttException(string message, ReasonCode? reason = null, Exception? inner = null)
        : base(message, inner)
    {
        Reason = reason;
        Layer = (inner as MqttException)?.Layer ?? LayerOf(reason);
    }

    /// <summary>The reason code of the server, or the one this client gave for ending the connection; null when the network failed.</summary>
    public ReasonCode? Reason { get; }

    /// <summary>How far connecting, or the connection, had come.</summary>
    public FailureLayer Layer { get; init; }

    /// <summary>The server broke the protocol and is told so in a DISCONNECT before the connection is closed.</summary>
    internal bool TellServer { get; init; }

    /// <summary>The server broke the protocol: it is told so, and the connection ends.</summary>
    public static MqttException Violation(ParseError error) =>
        new(
            $"The server broke the MQTT protocol ({error.Explanation}); the connection was closed. Look for a server update, "
            + "or for a proxy that alters the stream.", error.Reason)
        {
            TellServer = true,
        };

    /// <summary>The server broke the protocol: it is told so, and the connection ends.</summary>
    /// <param name="reason">What it is told.</param>
    /// <param name="explanation">What it did.</param>
    public static MqttException Violation(ReasonCode reason, string explanation) => Violation(new ParseError(reason, explanation));

    private static FailureLayer LayerOf(ReasonCode? reason) => reason switch
    {
        null => FailureLayer.Network,
        ReasonCode.BadUserNameOrPassword or ReasonCode.NotAuthorized or ReasonCode.BadAuthenticationMethod or ReasonCode.Banned => FailureLayer.Authentication,
        _ => FailureLayer.Mqtt,
    };
}
