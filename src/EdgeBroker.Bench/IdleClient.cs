namespace EdgeBroker.Bench;

/// <summary>A client that only is there, with or without a subscription.</summary>
/// <param name="run">The run.</param>
/// <param name="number">Its number.</param>
/// <param name="subscriptions">The payloads of its SUBSCRIBE packets.</param>
internal sealed class IdleClient(LoadRun run, int number, IReadOnlyList<byte[]> subscriptions) : LoadConnection(run, $"{run.ClientPrefix}-i{number}")
{
    protected override IReadOnlyList<byte[]> Subscriptions => subscriptions;
}
