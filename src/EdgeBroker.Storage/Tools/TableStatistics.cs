namespace EdgeBroker.Storage.Tools;

/// <summary>What a table holds.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Rows">How many rows.</param>
/// <param name="ContentBytes">Bytes of their texts and blobs.</param>
public sealed record TableStatistics(string Name, long Rows, long ContentBytes);
