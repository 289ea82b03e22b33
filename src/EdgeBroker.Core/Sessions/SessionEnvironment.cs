using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;

namespace EdgeBroker.Core.Sessions;

/// <summary>What all sessions of a broker share.</summary>
/// <param name="options">The limits to begin with.</param>
/// <param name="clock">The broker's clock.</param>
/// <param name="journal">Where sessions are kept.</param>
/// <param name="ledger">Where their memory is accounted.</param>
/// <param name="events">Who is told what happens.</param>
internal sealed class SessionEnvironment(MqttOptions options, BrokerClock clock, IJournal journal, MemoryLedger ledger, BrokerEvents events)
{
    private volatile MqttOptions _options = options;
    private volatile QueuePolicy _queuePolicy = QueuePolicy.Of(options);

    /// <summary>The limits in force; replaced as a whole while sessions read them.</summary>
    public MqttOptions Options
    {
        get => _options;
        set
        {
            _options = value;
            _queuePolicy = QueuePolicy.Of(value);
        }
    }

    /// <summary>The queue policy of sessions that have none of their own.</summary>
    public QueuePolicy QueuePolicy => _queuePolicy;

    /// <summary>The loops of connections, to other threads.</summary>
    public ILoopRequests Loops { get; set; } = NoLoops.Instance;

    /// <summary>The broker's clock.</summary>
    public BrokerClock Clock { get; } = clock;

    /// <summary>Where sessions are kept.</summary>
    public IJournal Journal { get; } = journal;

    /// <summary>Where their memory is accounted.</summary>
    public MemoryLedger Ledger { get; } = ledger;

    /// <summary>Who is told what happens.</summary>
    public BrokerEvents Events { get; } = events;

    /// <summary>
    /// Is told of each client whose session has another will than before, or none any more, under the session's lock; null: nobody wants to know.
    /// </summary>
    public Action<string>? WillChanged { get; set; }

    /// <summary>Sessions of which a full store may drop what waits.</summary>
    public StoreUsers StoreUsers { get; init; } = new();
}
