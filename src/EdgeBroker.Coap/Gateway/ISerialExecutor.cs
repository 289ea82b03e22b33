namespace EdgeBroker.Coap.Gateway;

/// <summary>Runs what answers later in a callback of its own: never two at once. Any thread.</summary>
public interface ISerialExecutor
{
    /// <summary>Runs it, when whoever runs is done.</summary>
    void Run(Action action);

    /// <summary>Runs it soon, on another thread, together with what others want to be run by then: what they have to send goes at once.</summary>
    void Post(Action action);
}
