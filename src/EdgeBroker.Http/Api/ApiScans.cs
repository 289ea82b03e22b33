using System.Diagnostics.CodeAnalysis;
using EdgeBroker.Http.Routing;

namespace EdgeBroker.Http.Api;

/// <summary>Passes over everything there is: two at once, so that whoever asks for many takes nothing from the traffic but their time.</summary>
/// <param name="time">The clock.</param>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle nobody asks for holds nothing.")]
internal sealed class ApiScans(TimeProvider time)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _scans = new(2);

    /// <summary>Makes a pass when there is room for it.</summary>
    /// <exception cref="HttpProblem">There was none for two seconds.</exception>
    public async ValueTask<T> RunAsync<T>(Func<T> scan, CancellationToken gone)
    {
        using var late = new CancellationTokenSource(Timeout, time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(late.Token, gone);
        try
        {
            await _scans.WaitAsync(ending.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!gone.IsCancellationRequested)
        {
            throw new HttpProblem(ProblemKind.Busy, "others are asking for long lists; try again") { RetryAfterSeconds = 2 };
        }

        try
        {
            return scan();
        }
        finally
        {
            _scans.Release();
        }
    }
}
