namespace EdgeBroker.Core.Tests.Rig;

/// <summary>Tests that share the process with no other.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class Alone
{
    public const string Name = "alone";
}
