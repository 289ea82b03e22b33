using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;

namespace EdgeBroker.Mqtt.Connections;

// A client that comes back at once: what it sent on its older connection, its DISCONNECT above all, may not have been looked at yet.
public sealed partial class Handshake
{
    // What a client may wait for its older connection, which may be held back by a limit or belong to somebody who goes on sending.
    private const long DrainMs = 1_000;

    /// <summary>
    /// Goes on when what an older connection of the client has received is handled: messages are not lost then, nor come after those of the newer one, and a
    /// will that the client has discarded is not published.
    /// </summary>
    private void DrainOlder(AuthenticationResult identity)
    {
        PendingConnect connect = Connect!;
        if (Broker.FindLink(connect.ClientId) is not { } older)
        {
            Claim(identity);
            return;
        }

        connect.Identity = identity;
        _state = State.Draining;
        Transport.PauseReading();
        Transport.SetDeadline(Transport.NowMs + DrainMs);
        Drain(older);
    }

    private void Drain(ISessionLink older) => older.Drain(() => Transport.Post(() =>
    {
        if (_state != State.Draining || Transport.IsClosing) return;
        // A third one may have been quicker, and may have sent something since.
        if (Broker.FindLink(Connect!.ClientId) is { } other && other != older) Drain(other);
        else EndDrain();
    }));

    private void EndDrain()
    {
        AuthenticationResult identity = AsOfNow(Connect!.Identity!);
        AwaitClient();
        if (IsLetIn(identity)) Claim(identity);
        ReadOn();
    }
}
