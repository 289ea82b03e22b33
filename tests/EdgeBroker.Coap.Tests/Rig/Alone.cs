namespace EdgeBroker.Coap.Tests.Rig;

/// <summary>Tests that measure memory, with nothing else at the same time.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class Alone
{
    public const string Name = "alone";
}
