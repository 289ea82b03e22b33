namespace EdgeBroker.Mqtt;

/// <summary>A listener as seen by whoever changes the listeners of a running broker. One at a time may do so.</summary>
public interface IServedListener
{
    /// <summary>Protocol and address as configured: <c>mqtt on 127.0.0.1:1883</c>.</summary>
    string Name { get; }

    /// <summary>Where it listens, with the port the system chose.</summary>
    string EndPoint { get; }

    /// <summary>Begins to accept, once; the address is bound already.</summary>
    Task BeginAsync();

    /// <summary>Gives the address free; its clients stay connected.</summary>
    Task SuspendAsync();

    /// <summary>After <see cref="SuspendAsync"/>: takes the address again and goes on.</summary>
    /// <exception cref="IOException">Somebody else has taken it.</exception>
    Task ResumeAsync();

    /// <summary>Ends it for good: the address is free, and its clients are told (5.0: DISCONNECT 0x98) and disconnected.</summary>
    Task RemoveAsync();

    /// <summary>Ends one that has never begun.</summary>
    Task AbandonAsync();
}
