using System.Diagnostics.CodeAnalysis;
using EdgeBroker.Http.Access;

namespace EdgeBroker.Http.Routing;

/// <summary>
/// The event streams that are open: how many there may be, and whether those who read them still may. A browser has six connections to a host, so one login
/// gets four: the seventh tab would wait for ever without reaching us.
/// </summary>
/// <param name="time">The clock.</param>
[SuppressMessage("Design", "CA1001", Justification = "The timer is there only while there are streams.")]
internal sealed class OpenStreams(TimeProvider time)
{
    private const int Most = 32;
    private const int MostOfOneLogin = 4;

    // So that whoever may read topics, perhaps without a login, leaves some to those who look after the broker.
    private const int MostOfTopics = 24;

    // A login ends by itself, too.
    private static readonly TimeSpan ReviewInterval = TimeSpan.FromSeconds(15);

    private readonly Lock _lock = new();
    private readonly HashSet<OpenStream> _streams = [];
    private ITimer? _timer;

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
    /// <param name="mayGoOn">Whether it still may; asked after a reload, and from time to time.</param>
    /// <param name="isOfTopics">Whether it tells messages, to whoever may read them.</param>
    /// <exception cref="HttpProblem">There are too many.</exception>
    public OpenStream Open(Caller caller, Func<bool> mayGoOn, bool isOfTopics = false)
    {
        var stream = new OpenStream(this, caller.Session, mayGoOn, isOfTopics);
        lock (_lock)
        {
            int own = caller.Session is { } session ? _streams.Count(one => one.Session == session) : 0;
            if (_streams.Count >= Most || own >= MostOfOneLogin || (isOfTopics && _streams.Count(one => one.IsOfTopics) >= MostOfTopics))
            {
                throw new HttpProblem(ProblemKind.TooManyRequests, "as many streams are open as may be; ask again from time to time instead")
                {
                    RetryAfterSeconds = 5,
                };
            }

            _streams.Add(stream);
            _timer ??= time.CreateTimer(static all => ((OpenStreams)all!).Review(), this, ReviewInterval, ReviewInterval);
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
        lock (_lock)
        {
            _streams.Remove(stream);
            if (_streams.Count > 0) return;
            _timer?.Dispose();
            _timer = null;
        }
    }
}

/// <summary>One event stream that is open.</summary>
internal sealed class OpenStream(OpenStreams all, CookieSession? session, Func<bool> mayGoOn, bool isOfTopics) : IDisposable
{
    private readonly CancellationTokenSource _ended = new();

    /// <summary>The login it stands on; null: none.</summary>
    public CookieSession? Session => session;

    /// <summary>Whether it tells messages.</summary>
    public bool IsOfTopics => isOfTopics;

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
