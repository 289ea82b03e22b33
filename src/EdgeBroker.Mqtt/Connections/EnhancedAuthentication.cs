using System.Text;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Protocol.Scram;

namespace EdgeBroker.Mqtt.Connections;

/// <summary>
/// How far the authentication by a method stands (5.0, 4.12), at CONNECT and again later. Connections whose client asked for none have no such object.
/// </summary>
/// <param name="request">What is asked of the authenticator each time, with other data.</param>
internal sealed class EnhancedAuthentication(AuthenticationRequest request)
{
    /// <summary>Why a client gets no AUTH.</summary>
    public const string NoRoom = "the Maximum Packet Size has no room for AUTH";

    // As every AUTH and CONNACK names it [MQTT-4.12.0-5].
    private readonly byte[] _methodText = Encoding.UTF8.GetBytes(request.Method!);

    /// <summary>Which method it is, as far as the broker knows it.</summary>
    public AuthenticationMethod Kind => request.Method == ScramSha256.Name ? AuthenticationMethod.Scram : AuthenticationMethod.Enhanced;

    /// <summary>What takes the client's answer; null: it was not asked anything.</summary>
    public IAuthenticationExchange? Exchange { get; set; }

    /// <summary>Whether the authenticator is thinking about a re-authentication.</summary>
    public bool IsThinking { get; set; }

    /// <summary>The method's last word, which goes out with CONNACK; null: none.</summary>
    public byte[]? LastWord { get; set; }

    /// <summary>What is asked each time, without data.</summary>
    public AuthenticationRequest Request => request;

    /// <summary>Adds method and data to the properties of AUTH or CONNACK.</summary>
    public void AddTo(ref PropertyBuilder properties, byte[]? data)
    {
        properties.Add(PropertyId.AuthenticationMethod, _methodText);
        if (data is not null) properties.Add(PropertyId.AuthenticationData, data);
    }

    /// <summary>Whether a packet of the client has its place here, with this reason code.</summary>
    /// <param name="packet">AUTH.</param>
    /// <param name="expected">The reason code.</param>
    /// <param name="explanation">What is wrong with it.</param>
    public bool IsExpected(in DisconnectPacket packet, ReasonCode expected, out string explanation)
    {
        explanation = "AUTH with a reason code that has no place here: 0x19 begins a re-authentication, 0x18 answers a question of the broker";
        if (packet.ReasonCode != expected || IsThinking) return false;
        // [MQTT-4.12.0-5], [MQTT-4.12.1-1]
        explanation = "AUTH with another authentication method than CONNECT";
        return packet.Properties.GetValue(PropertyId.AuthenticationMethod).SequenceEqual(_methodText);
    }

    /// <summary>It is over, well or not.</summary>
    public void End()
    {
        Exchange = null;
        IsThinking = false;
        LastWord = null;
    }
}
