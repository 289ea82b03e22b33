using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>The topic aliases the server has set on one connection (3.3.2.3.4).</summary>
internal sealed class TopicAliases(int maximum)
{
    private readonly byte[]?[] _topics = maximum == 0 ? [] : new byte[]?[maximum + 1];

    /// <summary>The topic of a PUBLISH whose own is empty, or null when it names its topic itself; remembers an alias that is set.</summary>
    /// <exception cref="MqttException">The alias is over the maximum or was never set.</exception>
    public byte[]? Resolve(in PublishPacket packet)
    {
        ushort alias = packet.Properties.TopicAlias;
        if (alias == 0) return null;
        if (alias >= _topics.Length) throw MqttException.Violation(ReasonCode.TopicAliasInvalid, "a topic alias is over the agreed maximum");
        if (packet.Topic.IsEmpty) return _topics[alias] ?? throw MqttException.Violation(ReasonCode.ProtocolError, "a topic alias was used before it was set");
        if (!packet.Topic.SequenceEqual(_topics[alias])) _topics[alias] = packet.Topic.ToArray();
        return null;
    }
}
