namespace EdgeBroker.Conformance.Tests;

/// <summary>One numbered statement of a specification, in our words.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Section">Number and title of its section.</param>
/// <param name="Who">Whom it binds: server, client or both.</param>
public sealed record Statement(string Id, string Section, string Who)
{
    /// <summary>Whether a broker can violate it.</summary>
    public bool BindsServer => Who is "server" or "both";
}
