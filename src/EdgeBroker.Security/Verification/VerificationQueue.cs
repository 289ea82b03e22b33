using System.Runtime.InteropServices;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Security.Verification;

/// <summary>
/// Where passwords are verified: a few threads of low priority behind a bounded queue. Sources take turns, so one that floods the broker with attempts delays
/// the others by one attempt of its own, and fills its own share of the queue only.
/// </summary>
public sealed partial class VerificationQueue : IDisposable
{
    /// <summary>Attempts of one source that may wait.</summary>
    public const int MaxPerSource = 16;

    /// <summary>Attempts of all sources that may wait.</summary>
    public const int MaxWaiting = 512;

    // An attempt, what it needs to be carried out, and the task that waits for it.
    private const int JobBytes = 400;

    private const int PrioProcess = 0;
    private const int LowPriority = 10;

    private readonly object _lock = new();
    private readonly Dictionary<ClientNetwork, Queue<Job>> _bySource = [];
    private readonly Queue<ClientNetwork> _turns = new();
    private readonly Thread?[] _workers;
    private readonly ILogger _logger;
    private int _waiting;
    private long _memoryBytes;
    private bool _isStopped;

    /// <param name="workers">Threads; they begin with the first attempt.</param>
    /// <param name="logger">Event ids 6000-6099.</param>
    public VerificationQueue(int workers, ILogger logger)
    {
        _workers = new Thread?[workers];
        _logger = logger;
    }

    /// <summary>How many threads suit a machine of so many cores: half of them, since what the broker is for goes first.</summary>
    public static int WorkersFor(int cores) => Math.Clamp(cores / 2, 1, 4);

    /// <summary>Bytes of attempts that wait, and of those being verified. Any thread.</summary>
    public long MemoryBytes => Interlocked.Read(ref _memoryBytes);

    /// <summary>Has an attempt verified when its turn comes.</summary>
    /// <param name="source">Who shares a turn with whom; everyone at a Unix socket shares one.</param>
    /// <param name="cost">The memory it takes.</param>
    /// <param name="verify">The work.</param>
    /// <param name="verdict">Its outcome, to be awaited.</param>
    /// <returns>False when there is no room.</returns>
    public bool TryEnqueue(ClientNetwork source, VerificationCost cost, Func<AuthenticationResult> verify, out Task<AuthenticationResult> verdict)
    {
        var job = new Job(verify, cost);
        verdict = job.Verdict.Task;
        lock (_lock)
        {
            if (_isStopped || _waiting >= MaxWaiting) return false;
            if (!_bySource.TryGetValue(source, out Queue<Job>? own))
            {
                _bySource.Add(source, own = new Queue<Job>());
                _turns.Enqueue(source);
            }

            if (own.Count >= MaxPerSource) return false;
            own.Enqueue(job);
            _waiting++;
            _memoryBytes += JobBytes + cost.WaitingBytes;
            StartWorkers();
            Monitor.Pulse(_lock);
        }

        return true;
    }

    /// <summary>Ends the threads; what still waits is refused.</summary>
    public void Dispose()
    {
        List<Job> left = [];
        lock (_lock)
        {
            _isStopped = true;
            foreach (Queue<Job> own in _bySource.Values) left.AddRange(own);
            _bySource.Clear();
            _turns.Clear();
            _waiting = 0;
            foreach (Job job in left) _memoryBytes -= JobBytes + job.Cost.WaitingBytes;
            Monitor.PulseAll(_lock);
        }

        foreach (Job job in left) job.Verdict.TrySetResult(AuthenticationResult.Refused(ReasonCode.ServerShuttingDown, "the broker is stopping"));
        foreach (Thread? worker in _workers) worker?.Join();
    }

    private void StartWorkers()
    {
        for (int i = 0; i < _workers.Length; i++)
        {
            if (_workers[i] is not null) continue;
            _workers[i] = new Thread(Work) { IsBackground = true, Name = "auth-" + i };
            _workers[i]!.Start();
        }
    }

    private void Work()
    {
        // On Linux this concerns the calling thread alone.
        if (SetPriority(PrioProcess, 0, LowPriority) != 0) LogPriority(_logger, Marshal.GetLastPInvokeError());
        while (Next() is { } job)
        {
            AuthenticationResult verdict;
            try
            {
                verdict = job.Verify();
            }
            catch (Exception exception)
            {
                LogFailed(_logger, exception);
                verdict = AuthenticationResult.Refused(ReasonCode.UnspecifiedError, "the credentials could not be verified: " + exception.GetType().Name);
            }

            lock (_lock) _memoryBytes -= JobBytes + job.Cost.WaitingBytes + job.Cost.WorkBytes;
            job.Verdict.TrySetResult(verdict);
        }
    }

    private Job? Next()
    {
        lock (_lock)
        {
            while (_turns.Count == 0 && !_isStopped) Monitor.Wait(_lock);
            if (_isStopped) return null;
            ClientNetwork source = _turns.Dequeue();
            Queue<Job> own = _bySource[source];
            Job job = own.Dequeue();
            _waiting--;
            _memoryBytes += job.Cost.WorkBytes;
            if (own.Count > 0) _turns.Enqueue(source);
            else _bySource.Remove(source);
            return job;
        }
    }

    [LibraryImport("libc", EntryPoint = "setpriority", SetLastError = true)]
    private static partial int SetPriority(int which, uint who, int priority);

    [LoggerMessage(6000, LogLevel.Error, "credentials could not be verified")]
    private static partial void LogFailed(ILogger logger, Exception exception);

    [LoggerMessage(6001, LogLevel.Debug, "a verifying thread keeps its priority: error {Error}")]
    private static partial void LogPriority(ILogger logger, int error);

    private sealed class Job(Func<AuthenticationResult> verify, VerificationCost cost)
    {
        public VerificationCost Cost => cost;

        public Func<AuthenticationResult> Verify { get; } = verify;

        // The one who awaits goes on elsewhere: this thread has passwords to verify.
        public TaskCompletionSource<AuthenticationResult> Verdict { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
