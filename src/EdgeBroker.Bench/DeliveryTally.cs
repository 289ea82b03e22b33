using EdgeBroker.Protocol;

namespace EdgeBroker.Bench;

/// <summary>What was to arrive and what did.</summary>
internal sealed class DeliveryTally
{
    /// <summary>Deliveries that the messages sent so far must cause.</summary>
    public long Expected { get; set; }

    /// <summary>PUBLISH packets of this run that arrived.</summary>
    public long Received { get; set; }

    /// <summary>Deliveries that arrived for the first time.</summary>
    public long Unique { get; private set; }

    /// <summary>Deliveries that arrived again.</summary>
    public long Duplicated { get; private set; }

    /// <summary>Deliveries that were overtaken by a later message of the same publisher.</summary>
    public long Reordered { get; private set; }

    /// <summary>Deliveries that reached a client which had not asked for them.</summary>
    public long Misrouted { get; set; }

    /// <summary>Payloads that are not what any client of this run sends.</summary>
    public long Corrupt { get; set; }

    /// <summary>Acknowledgements with an error in them.</summary>
    public long Refused { get; set; }

    /// <summary>Deliveries that are missing.</summary>
    public long Lost => Math.Max(0, Expected - Unique);

    /// <summary>Counts one delivery.</summary>
    public void Count(Arrival arrival)
    {
        if (arrival == Arrival.Again)
        {
            Duplicated++;
            return;
        }

        Unique++;
        if (arrival == Arrival.Late) Reordered++;
    }

    /// <summary>
    /// Whether something happened that the QoS forbids (4.3, 4.6): at most once may lose and at least once may repeat, while connections last all the same;
    /// nothing may overtake, change, or reach who did not ask.
    /// </summary>
    public bool IsFailure(QoS qos) =>
        Reordered + Misrouted + Corrupt + Refused > 0 || (Lost > 0 && qos != QoS.AtMostOnce) || (Duplicated > 0 && qos != QoS.AtLeastOnce);
}
