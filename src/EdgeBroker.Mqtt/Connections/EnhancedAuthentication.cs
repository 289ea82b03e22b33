using System.Text;
using EdgeBroker.Core.Security;

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

    /// <summary>It is over, well or not.</summary>
    public void End()
    {
        Exchange = null;
        IsThinking = false;
        LastWord = null;
    }
}
