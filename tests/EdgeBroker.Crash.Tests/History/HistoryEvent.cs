using System.Globalization;

namespace EdgeBroker.Crash.Tests.History;

/// <summary>One event. Its place in the history is its time: every client's events stand in one order.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Client">Whose event it is; -1: the run's.</param>
/// <param name="PacketId">The packet identifier, where there is one.</param>
/// <param name="Message">The message's index; -1: none.</param>
/// <param name="Number">What the kind says.</param>
/// <param name="Text">What the kind says.</param>
/// <param name="DiskPosition">How far the disk's log had come, at least.</param>
/// <param name="TimeNanoseconds">When, on the monotonic clock.</param>
public readonly record struct HistoryEvent(
    EventKind Kind, int Client, int PacketId, int Message, int Number, string Text, long DiskPosition, long TimeNanoseconds)
{
    /// <summary>The event as a line of a file.</summary>
    public string Line(RunHistory history)
    {
        string client = Client < 0 ? "-" : history.Clients[Client];
        string message = Message < 0 ? "" : $" {history.Messages[Message]}";
        string id = PacketId == 0 ? "" : $" id {PacketId}";
        return string.Create(CultureInfo.InvariantCulture, $"{TimeNanoseconds / 1000} us, disk {DiskPosition}: {client} {Kind}{id}{message} {Number} {Text}");
    }
}
