namespace EdgeBroker.Cluster.State;

/// <summary>A snapshot of the replicated state that cannot be used. The message says why and what to do.</summary>
internal sealed class DamagedSnapshotException(string message) : IOException(message);
