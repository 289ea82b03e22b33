namespace EdgeBroker.Coap.Gateway;

/// <summary>Runs what answers later on a turn of its own: never two at once. Any thread.</summary>
public interface ITurns
{
    /// <summary>Runs it, when whoever runs is done.</summary>
    void Run(Action action);
}
