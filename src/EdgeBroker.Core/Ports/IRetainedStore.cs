using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core.Ports;

/// <summary>Where retained messages live beyond the process. Appending must not block, call back or do IO.</summary>
public interface IRetainedStore
{
    /// <summary>The topic's last value.</summary>
    CommitToken Save(Message message);

    /// <summary>The topic has none.</summary>
    CommitToken Delete(byte[] topic);
}
