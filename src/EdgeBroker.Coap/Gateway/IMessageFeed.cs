using EdgeBroker.Core.Receivers;

namespace EdgeBroker.Coap.Gateway;

/// <summary>What brings an observation its messages. Used by the server's thread, as is disposing of it, which lets go of what would otherwise go on.</summary>
internal interface IMessageFeed : IDisposable
{
    /// <summary>Messages that wait.</summary>
    int QueuedMessages { get; }

    /// <summary>Their bytes.</summary>
    long QueuedBytes { get; }

    /// <summary>Messages that were dropped.</summary>
    long Dropped { get; }

    /// <summary>Whether it goes on while its observer is away.</summary>
    bool IsDurable { get; }

    /// <summary>Takes the next message.</summary>
    /// <param name="delivery">The message.</param>
    /// <param name="taken">To be called when the observer has it; null: nobody waits for that.</param>
    bool TryRead(out LocalDelivery delivery, out Action? taken);

    /// <summary>Waits until there is something to try; false when it has ended.</summary>
    ValueTask<bool> WaitToReadAsync();

    /// <summary>Ends it for good: nothing is kept of it.</summary>
    void Forget();
}

/// <summary>A client within the process: as long as its observer is there.</summary>
/// <param name="client">Subscribes; its own from here on.</param>
internal sealed class LocalFeed(LocalClient client) : IMessageFeed
{
    /// <inheritdoc/>
    public int QueuedMessages => client.QueuedMessages;

    /// <inheritdoc/>
    public long QueuedBytes => client.QueuedBytes;

    /// <inheritdoc/>
    public long Dropped => client.Dropped;

    /// <inheritdoc/>
    public bool IsDurable => false;

    /// <inheritdoc/>
    public bool TryRead(out LocalDelivery delivery, out Action? taken)
    {
        taken = null;
        return client.TryRead(out delivery);
    }

    /// <inheritdoc/>
    public ValueTask<bool> WaitToReadAsync() => client.WaitToReadAsync();

    /// <inheritdoc/>
    public void Forget() => client.Dispose();

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();
}
