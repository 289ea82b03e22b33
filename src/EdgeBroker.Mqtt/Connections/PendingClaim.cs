using EdgeBroker.Core.Ports;

namespace EdgeBroker.Mqtt.Connections;

/// <summary>
/// A claim that the cluster has not answered at once. Its answer comes on any thread, and the client may go at any time: whichever is last sees to it that a
/// grant is either used or given back.
/// </summary>
/// <param name="cluster">Who was asked.</param>
/// <param name="clientId">For which client.</param>
/// <param name="cancel">Ends the claim.</param>
internal sealed class PendingClaim(ICluster cluster, string clientId, CancellationTokenSource cancel)
{
    private const int Asked = 0;
    private const int Answered = 1;
    private const int Taken = 2;
    private const int Abandoned = 3;

    private SessionClaim _answer;
    private int _state;

    /// <summary>Whether nobody wants to know any more.</summary>
    public bool IsAbandoned => Volatile.Read(ref _state) == Abandoned;

    /// <summary>The cluster has answered.</summary>
    /// <returns>Whether anybody still wants to know.</returns>
    public bool Answer(SessionClaim answer)
    {
        _answer = answer;
        if (Interlocked.CompareExchange(ref _state, Answered, Asked) == Asked) return true;
        Release();
        return false;
    }

    /// <summary>Takes the answer; false: the claim was abandoned.</summary>
    public bool TryTake(out SessionClaim answer)
    {
        answer = _answer;
        return Interlocked.CompareExchange(ref _state, Taken, Answered) == Answered;
    }

    /// <summary>The client is gone, or has waited for too long. Does nothing when the answer was taken.</summary>
    public void Abandon()
    {
        if (Interlocked.CompareExchange(ref _state, Abandoned, Asked) == Asked) cancel.Cancel();
        else if (Interlocked.CompareExchange(ref _state, Abandoned, Answered) == Answered) Release();
    }

    private void Release()
    {
        if (_answer.Outcome == ClaimOutcome.Granted) cluster.Release(clientId, _answer.Epoch);
    }
}
