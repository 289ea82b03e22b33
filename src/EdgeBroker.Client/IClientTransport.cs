namespace EdgeBroker.Client;

/// <summary>Opens the byte stream a connection runs over; TCP, TLS and WebSocket differ only here.</summary>
public interface IClientTransport
{
    /// <summary>Where it leads, as a technician would write it (<c>tcp://gateway:1883</c>); used in error messages.</summary>
    string Description { get; }

    /// <summary>Opens a new stream; disposing it closes the connection.</summary>
    ValueTask<Stream> OpenAsync(CancellationToken cancellationToken);
}
