using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>
/// The method <c>JWT</c>: a JSON Web Token as authentication data. Unlike one in the password's place it can be followed by a newer one on the same connection.
/// </summary>
/// <param name="token">Yields the token to use now.</param>
public sealed class TokenAuthentication(Func<string> token) : IAuthenticationMethod
{
    /// <inheritdoc/>
    public string Name => "JWT";

    /// <inheritdoc/>
    public IAuthenticationExchange Begin() => new Exchange(Encoding.UTF8.GetBytes(token()));

    private sealed class Exchange(byte[] token) : IAuthenticationExchange
    {
        public byte[] First => token;

        public ValueTask<byte[]?> AnswerAsync(ReadOnlyMemory<byte> question, CancellationToken cancellationToken) =>
            throw new MqttException("The server asks for more than a token.", ReasonCode.ProtocolError) { TellServer = true };

        public void Confirm(ReadOnlySpan<byte> lastWord)
        {
            // A token says who the client is and nothing about the server; that is for TLS.
        }
    }
}
