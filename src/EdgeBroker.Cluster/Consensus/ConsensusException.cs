namespace EdgeBroker.Cluster.Consensus;

/// <summary>The voters could not be asked, or nobody knows what they decided.</summary>
internal sealed class ConsensusException(string message, bool isUncertain = false, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether the command may be applied all the same, now or later. False: it certainly is not.</summary>
    public bool IsUncertain { get; } = isUncertain;
}
