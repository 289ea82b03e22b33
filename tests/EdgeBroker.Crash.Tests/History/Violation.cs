namespace EdgeBroker.Crash.Tests.History;

/// <summary>A promise that was broken.</summary>
/// <param name="Promise">Which.</param>
/// <param name="Text">By what.</param>
public sealed record Violation(Promise Promise, string Text)
{
    public override string ToString() => $"{Promise}: {Text}";
}
