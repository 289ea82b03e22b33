namespace EdgeBroker.Client;

/// <summary>A way to be authenticated other than by a password in CONNECT (5.0, 4.12). Used for one connection after another.</summary>
public interface IAuthenticationMethod
{
    /// <summary>The name server and client know it by.</summary>
    string Name { get; }

    /// <summary>Begins an authentication: one for each connection, and one for each time the client is authenticated again.</summary>
    /// <exception cref="MqttException">There is nothing to be authenticated by.</exception>
    IAuthenticationExchange Begin();
}

/// <summary>One authentication.</summary>
public interface IAuthenticationExchange
{
    /// <summary>What goes out with CONNECT, or with the AUTH that begins a re-authentication; null: nothing.</summary>
    byte[]? First { get; }

    /// <summary>Answers a question of the server.</summary>
    /// <param name="question">What the server sent, unchecked.</param>
    /// <param name="cancellationToken">Ends what takes time.</param>
    /// <exception cref="MqttException">There is no answer to that.</exception>
    ValueTask<byte[]?> AnswerAsync(ReadOnlyMemory<byte> question, CancellationToken cancellationToken);

    /// <summary>Looks at what the server said when it let the client in.</summary>
    /// <param name="lastWord">What the server sent, unchecked; empty: nothing.</param>
    /// <exception cref="MqttException">It is not the server it should be.</exception>
    void Confirm(ReadOnlySpan<byte> lastWord);
}
