namespace EdgeBroker.Transport.Pipes;

/// <summary>
/// What a reactor is to plain connections: of those that share a loop, one at a time has its handler called, so that their handlers may share what one thread
/// at a time may use. Iterations are short and never wait.
/// </summary>
/// <param name="reportFault">Is told of an exception of a handler, and what was going on. The loop goes on.</param>
public sealed class PipeLoop(Action<Exception, string> reportFault)
{
    // It stands for the loop's one thread rather than for data, so locks are taken while it is held.
    private readonly Lock _lock = new();

    /// <summary>Called at the end of an iteration in which something was received. Set before the first connection.</summary>
    public Action? IterationEnded { get; set; }

    /// <summary>
    /// Begins an iteration on this thread, which lasts until the returned value is disposed. Other loops hear of what it asks of them when it is over.
    /// </summary>
    public Iteration Enter()
    {
        LockRules.MustHoldNone();
        LoopRequests.Begin();
        _lock.Enter();
        return new Iteration(this);
    }

    /// <summary>Ends an iteration in which something was received.</summary>
    internal void EndIteration()
    {
        try
        {
            IterationEnded?.Invoke();
        }
        catch (Exception exception)
        {
            Report(exception, "ending an iteration");
        }
    }

    /// <summary>Reports an exception of what the loop has called.</summary>
    internal void Report(Exception exception, string where) => reportFault(exception, where);

    /// <summary>An iteration; ends when disposed.</summary>
    public readonly ref struct Iteration
    {
        private readonly PipeLoop _loop;

        internal Iteration(PipeLoop loop) => _loop = loop;

        /// <summary>Ends it.</summary>
        public void Dispose()
        {
            _loop._lock.Exit();
            LoopRequests.End();
        }
    }
}
