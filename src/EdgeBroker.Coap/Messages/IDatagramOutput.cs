namespace EdgeBroker.Coap.Messages;

/// <summary>Takes datagrams to be sent. Never blocks; what it cannot send is lost, as on the way.</summary>
public interface IDatagramOutput
{
    /// <summary>Sends one datagram, which is copied where it has to wait.</summary>
    void Send(in PeerEndPoint to, ReadOnlySpan<byte> datagram);
}
