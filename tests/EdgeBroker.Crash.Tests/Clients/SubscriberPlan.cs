namespace EdgeBroker.Crash.Tests.Clients;

/// <summary>What a subscriber wants.</summary>
/// <param name="QoS">Of all its subscriptions.</param>
/// <param name="Filters">That do not overlap.</param>
/// <param name="Attendance">When it is there.</param>
/// <param name="Changes">Whether it gives filters up and takes them again.</param>
/// <param name="ReceiveMaximum">How many messages it takes at a time, as 5.0 lets it say; the rest waits in the broker. 0: as many as there are.</param>
public sealed record SubscriberPlan(
    int QoS, IReadOnlyList<string> Filters, Attendance Attendance = Attendance.Always, bool Changes = false, int ReceiveMaximum = 0);
