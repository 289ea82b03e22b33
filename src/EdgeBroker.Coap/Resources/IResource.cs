namespace EdgeBroker.Coap.Resources;

/// <summary>Answers the requests to a path, or to all paths that begin with one.</summary>
public interface IResource
{
    /// <summary>Answers a request, at once or later, in a callback of the server's.</summary>
    void Handle(PendingRequest pending);
}

/// <summary>What an observer follows. Used by the server's thread.</summary>
public interface IObserved : IDisposable
{
    /// <summary>Takes what is new, in the form in which the observer gets it; false: nothing is. An error ends the observation.</summary>
    bool TryNext(out Notification notification);

    /// <summary>Whether it goes on without its observer until that comes back; who lets go of it only disposes of it.</summary>
    bool IsDurable => false;

    /// <summary>The observer does not want it any more, or may not: disposes of it and of what would go on.</summary>
    void Cancel() => Dispose();
}

/// <summary>What an observer is told.</summary>
/// <param name="Response">The state, or an error that ends the observation.</param>
/// <param name="IsConfirmable">Whether the observer must acknowledge it.</param>
/// <param name="Taken">Is called when the observer has acknowledged it; null: nobody waits for that.</param>
public readonly record struct Notification(Messages.CoapResponse Response, bool IsConfirmable, Action? Taken = null);
