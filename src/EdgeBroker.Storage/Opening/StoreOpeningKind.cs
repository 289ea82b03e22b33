namespace EdgeBroker.Storage.Opening;

/// <summary>How a store came to be open.</summary>
public enum StoreOpeningKind
{
    /// <summary>It was there and is used.</summary>
    Opened,

    /// <summary>There was none; a new one was made.</summary>
    Created,

    /// <summary>The one that was there could not be used; it is set aside, and a new one holds what could be rescued.</summary>
    Quarantined,
}
