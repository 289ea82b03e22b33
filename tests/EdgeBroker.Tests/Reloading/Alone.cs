namespace EdgeBroker.Tests.Reloading;

/// <summary>Tests that keep every core busy for a while: they run when the others are done, whose waits would otherwise grow long.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class Alone
{
    public const string Name = "alone";
}
