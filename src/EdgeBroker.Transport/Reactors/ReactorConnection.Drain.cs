using EdgeBroker.Transport.Linux;

namespace EdgeBroker.Transport.Reactors;

// What the peer had sent is handled before another connection takes its place.
internal sealed unsafe partial class ReactorConnection
{
    private Draining? _drain;

    public override void Drain(Action done) => Reactor.Post(this, () => BeginDrain(done));

    private void BeginDrain(Action done)
    {
        _drain ??= new Draining();
        _drain.Waiting.Add(done);
        int bytes = 0;
        if (!_closed) _ = LinuxSockets.Control(_fd, LinuxSockets.BytesToRead, &bytes);
        // What comes later is not waited for, or a peer that goes on sending would hold its place for ever.
        _drain.Bytes = bytes;
        if (bytes > 0) OnReadable(broken: false);
        if (_drain is not null) CheckDrain();
        Reactor.RunAfterReceives();
    }

    private void NoteDrained(int bytes)
    {
        _drain!.Bytes -= bytes;
        CheckDrain();
    }

    private void CheckDrain()
    {
        bool isOver = _closed || _lingering || IsClosing;
        if (!isOver && (_pausedByHandler || _drain!.Bytes > 0)) return;
        if (!isOver && Peek() == 0)
        {
            // Which comes back here.
            Finish("the peer closed the connection");
            return;
        }

        List<Action> waiting = _drain!.Waiting;
        _drain = null;
        Reactor.RunAfterReceives();
        foreach (Action done in waiting) done();
    }

    /// <summary>What is left to be read, and who waits for it.</summary>
    private sealed class Draining
    {
        public List<Action> Waiting { get; } = [];

        public long Bytes { get; set; }
    }
}
