namespace EdgeBroker.Protocol.Tests.Vectors;

/// <summary>Every vector, and the theories' view of them: by name.</summary>
internal static class VectorTable
{
    public static IReadOnlyList<Vector> All { get; } =
    [
        .. ConnectVectors.WellFormed, .. ConnectVectors.IllFormed, .. ConnackVectors.All, .. PublishVectors.WellFormed, .. PublishVectors.IllFormed,
        .. AckVectors.All, .. SubscribeVectors.All, .. UnsubscribeVectors.All, .. SubackVectors.All, .. DisconnectVectors.All,
    ];

    public static Vector Named(string name) => All.Single(v => v.ToString() == name);

    public static TheoryData<string> Names(Func<Vector, bool> choice) => [.. All.Where(choice).Select(v => v.ToString())];
}
