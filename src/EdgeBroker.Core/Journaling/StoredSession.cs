namespace EdgeBroker.Core.Journaling;

/// <summary>A session's identity in the store; the journal derives what it wants to remember with it.</summary>
public abstract class StoredSession
{
    /// <param name="clientId">The client id.</param>
    protected StoredSession(string clientId) => ClientId = clientId;

    /// <summary>The client id.</summary>
    public string ClientId { get; }

    /// <summary>Who is told that facts of this session were committed; null: nobody.</summary>
    public IStoredSessionOwner? Owner { get; set; }
}

/// <summary>What the journal tells a session, on the journal's threads and under no lock.</summary>
public interface IStoredSessionOwner
{
    /// <summary>Facts of the session are on disk.</summary>
    void OnCommitted();

    /// <summary>Deliveries asked for are here.</summary>
    void OnLoaded(IReadOnlyList<LoadedDelivery> deliveries);
}
