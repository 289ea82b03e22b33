namespace EdgeBroker.Http.Tests.Rig;

/// <summary>Tests that measure the process's memory, and so share it with no other.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class Alone
{
    public const string Name = "alone";
}
