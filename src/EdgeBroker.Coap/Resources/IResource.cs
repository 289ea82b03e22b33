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
}

/// <summary>What an observer is told.</summary>
/// <param name="Response">The state, or an error that ends the observation.</param>
/// <param name="IsConfirmable">Whether the observer must acknowledge it.</param>
public readonly record struct Notification(Messages.CoapResponse Response, bool IsConfirmable);
