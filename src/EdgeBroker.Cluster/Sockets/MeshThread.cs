using System.Collections.Concurrent;
using EdgeBroker.Core;

namespace EdgeBroker.Cluster.Sockets;

/// <summary>The one thread that serves a mesh node: it runs what connections bring, and has time pass.</summary>
/// <param name="node">The node.</param>
/// <param name="broker">Where faults are reported.</param>
internal sealed class MeshThread(MeshNode node, Broker broker) : IDisposable
{
    private const int TickMs = 50;

    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly AutoResetEvent _wake = new(initialState: false);
    private Thread? _thread;
    private volatile bool _stops;

    /// <summary>Begins.</summary>
    public void Start()
    {
        node.RunRequested = () => _wake.Set();
        _thread = new Thread(Loop) { IsBackground = true, Name = "mesh" };
        _thread.Start();
    }

    /// <summary>Runs something on the thread.</summary>
    public Task<T> RunAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _posted.Enqueue(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception exception)
            {
                // Whoever asked reports it.
                done.SetException(exception);
            }
        });
        _wake.Set();
        if (_stops) done.TrySetCanceled();
        return done.Task;
    }

    /// <summary>Ends it, when what it does just now is done.</summary>
    public void Dispose()
    {
        _stops = true;
        _wake.Set();
        _thread?.Join();
    }

    private void Loop()
    {
        long ticked = -TickMs;
        while (!_stops)
        {
            try
            {
                while (_posted.TryDequeue(out Action? work)) work();
                long nowMs = broker.Clock.NowMs;
                if (nowMs - ticked >= TickMs)
                {
                    ticked = nowMs;
                    node.Tick(nowMs);
                }
                else
                {
                    node.Run();
                }
            }
            catch (Exception exception)
            {
                broker.ReportFault(exception, "the mesh");
            }

            if (_posted.IsEmpty) _wake.WaitOne(TickMs);
        }
    }
}
