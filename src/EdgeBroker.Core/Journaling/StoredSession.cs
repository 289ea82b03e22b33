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
