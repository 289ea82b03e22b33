using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core.Sessions;

/// <summary>Whose a will is, for when it is due: users and rules may be others by then.</summary>
public interface IWillAuthor
{
    /// <summary>What speaks against publishing the will now; null: nothing. Any thread, answers at once.</summary>
    /// <param name="will">The message.</param>
    string? FindObjection(Message will);
}
