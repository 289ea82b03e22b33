namespace EdgeBroker.Bench;

/// <summary>How a message stands to those that came before it.</summary>
internal enum Arrival
{
    /// <summary>Behind all that came before.</summary>
    InOrder,

    /// <summary>For the first time, but after one that was sent later.</summary>
    Late,

    /// <summary>Once more.</summary>
    Again,
}
