namespace EdgeBroker.Core.Hosting;

/// <summary>The phases in which parts stop. Each phase of all parts comes before the next, in reverse order of their start.</summary>
public enum StopPhase
{
    /// <summary>Nothing new is let in.</summary>
    StopAccepting,

    /// <summary>Whoever is connected is told, and gets the time it takes.</summary>
    DisconnectClients,

    /// <summary>What is left to do is done: nobody is connected any more.</summary>
    Finish,
}

/// <summary>
/// A part of the broker with a life of its own: listeners, store, bridges, sensors, telemetry. One thread at a time calls it, but for <see cref="Findings"/>,
/// which may be called at any time between start and disposal.
/// </summary>
public interface IBrokerPart : IAsyncDisposable
{
    /// <summary>Its name, in lower case.</summary>
    string Name { get; }

    /// <summary>Begins its work. After the parts it stands on.</summary>
    /// <exception cref="PartException">It cannot; says why.</exception>
    ValueTask StartAsync(CancellationToken cancel) => ValueTask.CompletedTask;

    /// <summary>How it is, for those who watch over the broker; cheap enough to be asked each second.</summary>
    IEnumerable<HealthFinding> Findings() => [];

    /// <summary>Judges every client it serves by the users and rules now in force.</summary>
    /// <returns>How many were disconnected.</returns>
    ValueTask<int> ReviewAsync() => ValueTask.FromResult(0);

    /// <summary>Goes through one phase of its end, within the limit. Only a part that has started is stopped.</summary>
    ValueTask StopAsync(StopPhase phase, TimeSpan limit) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    ValueTask IAsyncDisposable.DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>A part that takes other options while it runs.</summary>
public interface IBrokerPart<in TOptions> : IBrokerPart
{
    /// <summary>Does everything about other options that can fail: reads files, binds addresses. Nobody notices anything.</summary>
    /// <exception cref="PartException">They cannot be put in force; says why, with file and line where there is one. Everything is as before.</exception>
    ValueTask<IPreparedChange> PrepareAsync(TOptions next);
}

/// <summary>A change that only has to be put in force. Disposed of without that, it leaves no trace.</summary>
public interface IPreparedChange : IAsyncDisposable
{
    /// <summary>Puts it in force. Cannot fail.</summary>
    ValueTask ApplyAsync(ChangeNotes notes);
}

/// <summary>What has been put in force, for the report, and whether clients may have lost rights by it.</summary>
public sealed class ChangeNotes
{
    private readonly List<string> _lines = [];

    /// <summary>One line for each thing that has changed.</summary>
    public IReadOnlyList<string> Lines => _lines;

    /// <summary>Whether clients are to be judged anew.</summary>
    public bool IsReviewDue { get; private set; }

    /// <summary>Adds a line.</summary>
    public void Add(string line) => _lines.Add(line);

    /// <summary>Has clients judged anew, once everything is in force.</summary>
    public void RequireReview() => IsReviewDue = true;
}

/// <summary>A part cannot start, or cannot take other options. The message is a sentence for the technician.</summary>
public sealed class PartException : Exception
{
    /// <param name="message">Why.</param>
    /// <param name="cause">What was thrown.</param>
    public PartException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}
