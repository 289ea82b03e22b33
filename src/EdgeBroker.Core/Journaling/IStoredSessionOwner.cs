namespace EdgeBroker.Core.Journaling;

/// <summary>What the journal tells a session, on the journal's threads and under no lock.</summary>
public interface IStoredSessionOwner
{
    /// <summary>Facts of the session are on disk.</summary>
    void OnCommitted();

    /// <summary>Deliveries asked for are here.</summary>
    void OnLoaded(IReadOnlyList<LoadedDelivery> deliveries);
}
