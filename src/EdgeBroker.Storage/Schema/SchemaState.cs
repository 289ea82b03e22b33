namespace EdgeBroker.Storage.Schema;

/// <summary>How a database's schema compares with this broker's.</summary>
public enum SchemaState
{
    /// <summary>It is this broker's.</summary>
    Current,

    /// <summary>An older version's: migrations lead from there to here.</summary>
    Older,

    /// <summary>A newer version's.</summary>
    Newer,

    /// <summary>Not the broker's, or not as any version left it.</summary>
    Wrong,
}
