namespace EdgeBroker.Storage.Opening;

/// <summary>Where the walk through a damaged table is.</summary>
internal enum SalvageStep
{
    /// <summary>At a row.</summary>
    Row,

    /// <summary>Behind the last row.</summary>
    End,

    /// <summary>Backwards, at the row where the walk forward stopped: every row is dealt with.</summary>
    Met,

    /// <summary>The next row cannot be read; perhaps the one behind it can.</summary>
    Failed,

    /// <summary>No way on: the table is not there, or its keys make no sense.</summary>
    Broken,
}
