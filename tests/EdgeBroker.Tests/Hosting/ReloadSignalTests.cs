using EdgeBroker.Hosting;

namespace EdgeBroker.Tests.Hosting;

public sealed class ReloadSignalTests
{
    [Fact]
    public void One_that_comes_before_there_is_a_broker_is_kept_and_done_once()
    {
        using var signal = new ReloadSignal();
        int reloads = 0;
        signal.Raise();
        signal.Raise();
        signal.Serve(() => reloads++);
        Assert.Equal(1, reloads);
        signal.Raise();
        Assert.Equal(2, reloads);
        signal.Keep();
        signal.Raise();
        Assert.Equal(2, reloads);
        signal.Serve(() => reloads++);
        Assert.Equal(3, reloads);
    }
}
