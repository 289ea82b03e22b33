namespace EdgeBroker.Transport.Pipes;

/// <summary>
/// What a reactor is to plain connections: of those that share a loop, one at a time has its handler called, so that their handlers may share what one thread
/// at a time may use. Iterations are short and never wait.
/// </summary>
/// <param name="reportFault">Is told of an exception of a handler, and what was going on. The loop goes on.</param>
public sealed class PipeLoop(Action<Exception, string> reportFault)
{
    /// <summary>Held for an iteration. It stands for the loop's one thread, so a handler may take a lock while it is held.</summary>
    public Lock Lock { get; } = new();

    /// <summary>Called at the end of an iteration in which something was received. Set before the first connection.</summary>
    public Action? IterationEnded { get; set; }

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
}
