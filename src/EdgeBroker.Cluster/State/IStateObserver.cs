namespace EdgeBroker.Cluster.State;

/// <summary>Is told what becomes of the replicated state, in the log's order, on the thread that applies it. It must neither wait nor throw.</summary>
internal interface IStateObserver
{
    /// <summary>A command was applied.</summary>
    /// <param name="command">The command.</param>
    /// <param name="applied">What became of it.</param>
    /// <param name="view">The state after it.</param>
    void Applied(ClusterCommand command, Applied applied, ClusterView view);

    /// <summary>The state is another one, by a snapshot: commands up to its index are not told of one by one.</summary>
    /// <param name="view">The state.</param>
    /// <param name="claims">Its claims.</param>
    void Replaced(ClusterView view, ClaimTable claims);
}
