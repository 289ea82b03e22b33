using EdgeBroker.Cluster.State;

namespace EdgeBroker.Cluster.Consensus;

/// <summary>A command on its way through the log, for the answer of its own entry.</summary>
/// <param name="Command">Its bytes.</param>
/// <param name="Term">The term it was proposed in.</param>
internal sealed record PendingProposal(ReadOnlyMemory<byte> Command, long Term)
{
    /// <summary>What became of it; null: its entry was not applied.</summary>
    public Applied? Answer { get; private set; }

    /// <summary>Notes an answer, if it is of this proposal: another leader's entry may have come to stand in its place.</summary>
    public void Note(Applied answer, ReadOnlySpan<byte> command, long term)
    {
        if (term == Term && command.SequenceEqual(Command.Span)) Answer = answer;
    }
}
