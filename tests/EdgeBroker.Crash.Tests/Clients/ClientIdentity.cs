using EdgeBroker.Protocol;

namespace EdgeBroker.Crash.Tests.Clients;

/// <summary>Who a client is.</summary>
/// <param name="Number">Its number in the history.</param>
/// <param name="Id">Its client id.</param>
/// <param name="Version">What it speaks.</param>
public sealed record ClientIdentity(int Number, string Id, ProtocolVersion Version);
