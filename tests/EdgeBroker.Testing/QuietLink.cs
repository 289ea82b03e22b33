using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Testing;

/// <summary>A connection that takes everything and says nothing: what a session needs to be one that is connected.</summary>
public sealed class QuietLink : ISessionLink
{
    /// <inheritdoc/>
    public bool HasRoom => true;

    /// <inheritdoc/>
    public void RequestPumpWhenDrained()
    {
    }

    /// <inheritdoc/>
    public void Prepare(Session session)
    {
    }

    /// <inheritdoc/>
    public void SendConnack(bool sessionPresent)
    {
    }

    /// <inheritdoc/>
    public SendOutcome Send(in Delivery delivery, in Publication message, RoutingContext context) => SendOutcome.Sent;

    /// <inheritdoc/>
    public void SendPubrel(ushort packetId)
    {
    }

    /// <inheritdoc/>
    public void RequestPump()
    {
    }

    /// <inheritdoc/>
    public void Close(ReasonCode reason)
    {
    }
}
