using EdgeBroker.Hosting.Listeners;
using EdgeBroker.Transport.Linux;
using EdgeBroker.Transport.Listeners;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Tests.Hosting;

public sealed class AwaitedListenersTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly ListenerSettings _settings = new() { Protocol = ListenerProtocol.Mqtt, Address = "127.0.0.1:1883" };
    private readonly List<Listener> _begun = [];
    private string? _fault = "not yet";
    private int _opened;

    [Fact]
    public async Task It_is_opened_once_the_machine_has_its_address_and_until_then_the_newest_cause_is_told()
    {
        await using AwaitedListeners awaited = await AwaitAsync();
        _fault = "the port is in use";
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.EndsWith("the port is in use", Assert.Single(awaited.Findings()).Detail, StringComparison.Ordinal);
        Assert.Empty(_begun);
        _fault = null;
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(awaited.Findings());
        Assert.Single(_begun);
        Assert.Equal(1, _opened);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Single(_begun);
    }

    [Fact]
    public async Task Nothing_is_opened_while_a_reload_changes_the_listeners_nor_after_the_end()
    {
        AwaitedListeners awaited = await AwaitAsync();
        _fault = null;
        await awaited.EnterAsync();
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Empty(_begun);
        awaited.Leave();
        await awaited.DisposeAsync();
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Empty(_begun);
    }

    private async Task<AwaitedListeners> AwaitAsync()
    {
        var awaited = new AwaitedListeners(OpenAsync, () => _opened++, _time, NullLogger.Instance);
        await awaited.EnterAsync();
        awaited.Replace([(_settings, new ListenProblem("not yet", IsAddressMissing: true))]);
        awaited.Leave();
        return awaited;
    }

    private Task<IListener> OpenAsync(ListenerSettings settings) =>
        _fault is null ? Task.FromResult<IListener>(new Listener(settings, _begun)) : throw new ListenException(_fault);

    private sealed class Listener(ListenerSettings settings, List<Listener> begun) : IListener
    {
        public ListenerSettings Settings => settings;

        public string EndPoint => settings.Address;

        public Task BeginAsync()
        {
            begun.Add(this);
            return Task.CompletedTask;
        }

        public IListenerChange Prepare(ListenerSettings next) => throw new NotSupportedException();

        public Task SuspendAsync() => throw new NotSupportedException();

        public Task ResumeAsync() => throw new NotSupportedException();

        public Task RemoveAsync() => throw new NotSupportedException();

        public Task AbandonAsync() => throw new NotSupportedException();
    }
}
