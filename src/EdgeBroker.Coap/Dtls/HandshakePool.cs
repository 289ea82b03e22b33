using EdgeBroker.Core.Limits;

namespace EdgeBroker.Coap.Dtls;

/// <summary>
/// The threads that handshakes wait on, since the library's block: a few, which begin when they are wanted and end when they are not, with a short queue before
/// them. Of one network only half of them, so that nobody takes all.
/// </summary>
/// <param name="fault">Is told what goes wrong by mistake.</param>
internal sealed class HandshakePool(Action<Exception> fault) : IDisposable
{
    /// <summary>Handshakes at once.</summary>
    public const int MaxThreads = 16;

    /// <summary>Handshakes that wait for a thread.</summary>
    public const int MaxQueued = 64;

    /// <summary>Handshakes of one network, those that wait included.</summary>
    public const int MaxOfNetwork = MaxThreads / 2;

    private const int StackBytes = 256 * 1024;
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(10);

    // What is silent for so long gives its place to one that waits.
    private static readonly TimeSpan MaxSilence = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly Queue<(Action Work, ClientNetwork Network)> _queue = new();
    private readonly Dictionary<ClientNetwork, int> _byNetwork = [];
    private readonly SemaphoreSlim _wanted = new(0);
    private int _threads;
    private int _idle;
    private bool _isClosed;

    /// <summary>How many threads there are; any thread.</summary>
    public int ThreadCount => Volatile.Read(ref _threads);

    /// <summary>Has a handshake done; false: there are too many, of all or of this network.</summary>
    public bool TryAdd(ClientNetwork network, Action work)
    {
        bool begins = false;
        lock (_lock.Alone())
        {
            int own = _byNetwork.GetValueOrDefault(network);
            if (_isClosed || own >= MaxOfNetwork || _queue.Count >= MaxQueued) return false;
            _byNetwork[network] = own + 1;
            _queue.Enqueue((work, network));
            if (_queue.Count > _idle && _threads < MaxThreads)
            {
                _threads++;
                begins = true;
            }
        }

        _wanted.Release();
        if (begins) new Thread(Run, StackBytes) { IsBackground = true, Name = "DTLS handshakes" }.Start();
        return true;
    }

    /// <summary>Whether a handshake may wait on that has heard nothing for so long.</summary>
    public bool MayWaitOn(TimeSpan silence)
    {
        lock (_lock.Alone()) return !_isClosed && (silence < MaxSilence || _queue.Count <= _idle);
    }

    /// <summary>Ends the threads, as soon as their handshakes look up.</summary>
    public void Dispose()
    {
        int threads;
        lock (_lock.Alone())
        {
            _isClosed = true;
            _queue.Clear();
            threads = _threads;
        }

        if (threads > 0) _wanted.Release(threads);
    }

    private void Run()
    {
        while (TryTake(out (Action Work, ClientNetwork Network) next))
        {
            try
            {
                next.Work();
            }
            catch (Exception exception)
            {
                fault(exception);
            }

            lock (_lock.Alone())
            {
                int left = _byNetwork[next.Network] - 1;
                if (left > 0) _byNetwork[next.Network] = left;
                else _byNetwork.Remove(next.Network);
            }
        }
    }

    private bool TryTake(out (Action Work, ClientNetwork Network) next)
    {
        while (true)
        {
            lock (_lock.Alone())
            {
                if (_queue.TryDequeue(out next)) return true;
                if (_isClosed)
                {
                    _threads--;
                    return false;
                }

                _idle++;
            }

            bool isWanted = _wanted.Wait(IdleTime);
            lock (_lock.Alone())
            {
                _idle--;
                if (_queue.TryDequeue(out next)) return true;
                if (isWanted && !_isClosed) continue;
                _threads--;
                return false;
            }
        }
    }
}
