using EdgeBroker.Protocol;
using EdgeBroker.Protocol.Scram;

namespace EdgeBroker.Client;

/// <summary>
/// SCRAM-SHA-256 (RFC 5802, RFC 7677): the password is proved and not sent, and the server has to prove that it knows it too. It hides the password, not the
/// messages: those need TLS.
/// </summary>
public sealed class ScramAuthentication : IAuthenticationMethod
{
    private readonly string _userName;
    private readonly string _password;

    /// <param name="userName">The user name.</param>
    /// <param name="password">The password.</param>
    /// <exception cref="ArgumentException">One of them is empty, or holds what SCRAM does not take: see <see cref="SaslPrep"/>.</exception>
    public ScramAuthentication(string userName, string password)
    {
        const string cure = "is empty, or holds characters that SCRAM does not take; letters, digits and signs of a keyboard it does.";
        if (!SaslPrep.TryPrepare(userName, out _userName)) throw new ArgumentException("The user name " + cure);
        if (!SaslPrep.TryPrepare(password, out _password)) throw new ArgumentException("The password " + cure);
    }

    /// <inheritdoc/>
    public string Name => ScramSha256.Name;

    /// <inheritdoc/>
    public IAuthenticationExchange Begin() => new Exchange(new ScramClient(_userName, _password, ScramSha256.NewNonce()));

    private sealed class Exchange(ScramClient client) : IAuthenticationExchange
    {
        public byte[] First => client.First;

        public async ValueTask<byte[]?> AnswerAsync(ReadOnlyMemory<byte> question, CancellationToken cancellationToken)
        {
            // Up to some seconds of work, as many as the server asks for.
            return await Task.Run(() => Answer(question.Span), cancellationToken);
        }

        public void Confirm(ReadOnlySpan<byte> lastWord)
        {
            if (client.IsConfirmedBy(lastWord)) return;
            throw new MqttException(
                "The server let this client in without showing that it knows the password; it may be another one than it says. The connection was closed.",
                ReasonCode.NotAuthorized)
            {
                TellServer = true,
            };
        }

        private byte[] Answer(ReadOnlySpan<byte> question) => client.TryAnswer(question, out byte[] answer, out string problem) ? answer
            : throw new MqttException($"The server cannot be trusted with this password: it {problem}.", ReasonCode.NotAuthorized) { TellServer = true };
    }
}
