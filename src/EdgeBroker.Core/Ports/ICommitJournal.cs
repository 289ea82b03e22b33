namespace EdgeBroker.Core.Ports;

/// <summary>Tells what of a journal is on disk. One journal stands behind all stores of a broker, so that tokens compare.</summary>
public interface ICommitJournal
{
    /// <summary>Whether everything up to the token is on disk.</summary>
    bool IsCommitted(CommitToken token);

    /// <summary>Calls back once when the token is committed, on a thread of the journal's; at once when it already is.</summary>
    void WhenCommitted(CommitToken token, Action committed);
}
