using EdgeBroker.Http.Access;

namespace EdgeBroker.Http.Routing;

/// <summary>
/// The event streams that are open: how many there may be, and whether those who read them still may. A browser has six connections to a host, so one login
/// gets four: the seventh tab would wait for ever without reaching us.
/// </summary>
internal sealed class OpenStreams
{
    private const int Most = 32;
    private const int MostOfOneLogin = 4;

    private readonly Lock _lock = new();
    private readonly HashSet<OpenStream> _streams = [];

    /// <summary>Streams that are open.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _streams.Count;
        }
    }

    /// <summary>Opens one.</summary>
    /// <param name="caller">Who reads it.</param>
    /// <param name="mayGoOn">Whether it still may; asked after a reload.</param>
    /// <exception cref="HttpProblem">There are too many.</exception>
    public OpenStream Open(Caller caller, Func<bool> mayGoOn)
    {
        var stream = new OpenStream(this, caller.Session, mayGoOn);
        lock (_lock)
        {
            int own = caller.Session is { } session ? _streams.Count(one => one.Session == session) : 0;
            if (_streams.Count >= Most || own >= MostOfOneLogin)
            {
                throw new HttpProblem(ProblemKind.TooManyRequests, "as many streams are open as may be; ask again from time to time instead")
                {
                    RetryAfterSeconds = 5,
                };
            }

            _streams.Add(stream);
        }

        return stream;
    }

    /// <summary>Ends the streams of those who may not read them any more.</summary>
    /// <returns>How many.</returns>
    public int Review()
    {
        OpenStream[] streams;
        lock (_lock) streams = [.. _streams];
        return streams.Count(stream => stream.Review());
    }

    internal void Remove(OpenStream stream)
    {
        lock (_lock) _streams.Remove(stream);
    }
}

/// <summary>One event stream that is open.</summary>
internal sealed class OpenStream(OpenStreams all, CookieSession? session, Func<bool> mayGoOn) : IDisposable
{
    private readonly CancellationTokenSource _ended = new();

    /// <summary>The login it stands on; null: none.</summary>
    public CookieSession? Session => session;

    /// <summary>Ends when its reader may not read it any more.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>Ends it if its reader may not read it any more; whether it did.</summary>
    public bool Review()
    {
        if (_ended.IsCancellationRequested || mayGoOn()) return false;
        try
        {
            _ended.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It ended by itself.
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        all.Remove(this);
        _ended.Dispose();
    }
}
