using System.Text;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol.Scram;

namespace EdgeBroker.Mqtt.Connections;

/// <summary>
/// How far the authentication by a method stands (5.0, 4.12), at CONNECT and again later. Connections whose client asked for none have no such object.
/// </summary>
/// <param name="request">What is asked of the authenticator each time, with other data.</param>
internal sealed class EnhancedAuthentication(AuthenticationRequest request)
{
    private readonly byte[] _methodText = Encoding.UTF8.GetBytes(request.Method!);

    /// <summary>The method as every AUTH and CONNACK names it [MQTT-4.12.0-5].</summary>
    public ReadOnlySpan<byte> MethodText => _methodText;

    /// <summary>What takes the client's answer; null: it was not asked anything.</summary>
    public IAuthenticationExchange? Exchange { get; set; }

    /// <summary>Whether the authenticator is thinking about a re-authentication.</summary>
    public bool IsThinking { get; set; }

    /// <summary>The method's last word, which goes out with CONNACK; null: none.</summary>
    public byte[]? LastWord { get; set; }

    /// <summary>What is asked each time, without data.</summary>
    public AuthenticationRequest Request => request;

    /// <summary>Whose credentials the client says it has, while that is being found out: what SCRAM begins with, otherwise the user name of CONNECT; null: it
    /// does not say.</summary>
    public string? ClaimedName { get; private set; }

    /// <summary>The request of an authentication or a re-authentication.</summary>
    /// <param name="data">What the client begins with; handed over.</param>
    public AuthenticationRequest Begin(byte[] data)
    {
        bool saysWho = request.Method == ScramSha256.Name & ScramClientFirst.TryParse(data, out ScramClientFirst first) == ScramOutcome.Right;
        ClaimedName = saysWho ? first.UserName : request.UserName;
        return request with { MethodData = data };
    }

    /// <summary>It is over, well or not.</summary>
    public void End()
    {
        Exchange = null;
        IsThinking = false;
        LastWord = null;
        ClaimedName = null;
    }
}
