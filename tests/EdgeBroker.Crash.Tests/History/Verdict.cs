namespace EdgeBroker.Crash.Tests.History;

/// <summary>What a judge found.</summary>
/// <param name="Violations">The promises broken; empty: all were kept.</param>
/// <param name="Sent">Messages sent.</param>
/// <param name="Acknowledged">Of these, acknowledged.</param>
/// <param name="Owed">Deliveries that were owed.</param>
/// <param name="Delivered">Deliveries made, repetitions left aside.</param>
/// <param name="Repeated">Repetitions, which QoS 1 allows.</param>
public sealed record Verdict(IReadOnlyList<Violation> Violations, int Sent, int Acknowledged, int Owed, int Delivered, int Repeated)
{
    private const int ShownOfEach = 5;

    /// <summary>Whether everything owed has come.</summary>
    public bool IsComplete => Violations.All(v => v.Promise != Promise.NothingIsLost);

    /// <summary>The counts of violations and the first of each promise, one line each.</summary>
    public IEnumerable<string> Lines()
    {
        yield return $"{Sent} messages sent, {Acknowledged} acknowledged, {Owed} deliveries owed, {Delivered} made, {Repeated} repeated; "
            + $"{Violations.Count} violations";
        foreach (IGrouping<Promise, Violation> promise in Violations.GroupBy(v => v.Promise))
        {
            yield return $"{promise.Key}: {promise.Count()}";
            foreach (Violation violation in promise.Take(ShownOfEach)) yield return $"  {violation.Text}";
        }
    }

    public override string ToString() => string.Join('\n', Lines());
}
