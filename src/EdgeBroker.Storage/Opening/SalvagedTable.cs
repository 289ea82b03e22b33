namespace EdgeBroker.Storage.Opening;

/// <summary>What of a table could be rescued.</summary>
/// <param name="Name">The table's name.</param>
/// <param name="Rows">How many rows are in the new database.</param>
/// <param name="Skipped">How many were found and could not be used: unreadable, or not what was once written.</param>
/// <param name="IsComplete">Whether every row was found. If not, some pages are unreadable, and nobody knows how many rows were on them.</param>
public sealed record SalvagedTable(string Name, long Rows, long Skipped, bool IsComplete);
